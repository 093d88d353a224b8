import { alarm } from "./alarm.ts";
import { httpApi, router } from "./api.ts";
import { archive } from "./archive.ts";
import { deadBells } from "./bells.ts";
import { compactor, failures } from "./compactor.ts";
import { push } from "./push.ts";
import { table } from "./storage.ts";
import { sweeper } from "./sweeper.ts";

const ofApi = httpApi && { ApiId: httpApi.nodes.api.id };
const ofTable = { TableName: table.name };
const ofRouter = { FunctionName: router.name };
const ofCompactor = { FunctionName: compactor.nodes.function.name };
const ofSweeper = { FunctionName: sweeper.nodes.function.name };
const ofFailures = { QueueName: failures.nodes.queue.name };
const minuteSeconds = 60;
const hourSeconds = 3_600;

// The alarms follow an operator's questions: are clients affected, will they be, and why.
if (ofApi) alarm("ServerErrors", "AWS/ApiGateway 5xx", ofApi, { threshold: 5 });
else alarm("ServerErrors", "AWS/Lambda Url5xxCount", ofRouter, { threshold: 5 });

alarm("RouterThrottles", "AWS/Lambda Throttles", ofRouter, { threshold: 1 });
alarm("ReadThrottles", "AWS/DynamoDB ReadThrottleEvents", ofTable, { threshold: 10 });
alarm("WriteThrottles", "AWS/DynamoDB WriteThrottleEvents", ofTable, { threshold: 10 });

// Publishing stops when compaction lags by a day. The sweeper checks all partitions once an hour,
// and reports nothing while nothing lags.
alarm("CompactionLag", "EventLedger CompactionLagSeconds", ofTable, {
  statistic: "Maximum",
  threshold: 15 * minuteSeconds,
  period: hourSeconds,
});
alarm("CompactorBehind", "AWS/Lambda IteratorAge", ofCompactor, {
  statistic: "Maximum",
  threshold: 15 * minuteSeconds * 1_000,
});
alarm("CompactorGaveUp", "AWS/SQS ApproximateNumberOfMessagesVisible", ofFailures, {
  statistic: "Maximum",
  threshold: 1,
});

// The sweeper archives every hour, and reports no lag once it has archived everything. Events stay
// in the table until they are archived, so nothing is lost.
if (archive) {
  alarm("ArchiveLag", "EventLedger ArchiveLagSeconds", ofTable, {
    statistic: "Maximum",
    threshold: 6 * hourSeconds,
    period: hourSeconds,
  });
}

// A push that waits loses nothing, because its events stay in the log.
if (push && deadBells) {
  const ofDispatcher = { FunctionName: push.dispatcher.nodes.function.name };
  const ofDeadBells = { QueueName: deadBells.nodes.queue.name };
  alarm("DispatcherBehind", "AWS/Lambda IteratorAge", ofDispatcher, {
    statistic: "Maximum",
    threshold: 5 * minuteSeconds * 1_000,
  });
  alarm("BellsDead", "AWS/SQS ApproximateNumberOfMessagesVisible", ofDeadBells, {
    statistic: "Maximum",
    threshold: 1,
  });
}

// A sweeper that never runs causes no errors, but publishing stops a week after its last run.
alarm("SweeperErrors", "AWS/Lambda Errors", ofSweeper, { threshold: 1 });
alarm("SweeperSilent", "AWS/Lambda Invocations", ofSweeper, {
  comparisonOperator: "LessThanThreshold",
  threshold: 1,
  period: hourSeconds,
  evaluationPeriods: 3,
  treatMissingData: "breaching",
});
