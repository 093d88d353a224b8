import { settings } from "./stage.ts";

/** The target of alarms. It is `undefined` without ALARM_EMAIL. */
const alarmTopic = settings.alarmEmail ? mailTo(settings.alarmEmail) : undefined;

/**
 * Creates an alarm on one metric, named `<app>-<stage>-<name>`. By default it goes off when the sum
 * over five minutes reaches the threshold. Missing data counts as good.
 *
 * @param metric namespace and metric name, with a space between them
 */
export function alarm(
  name: string,
  metric: `${string} ${string}`,
  dimensions: Record<string, $util.Input<string>>,
  rule: { threshold: number } & Partial<aws.cloudwatch.MetricAlarmArgs>,
) {
  const [namespace, metricName] = metric.split(" ");
  const actions = alarmTopic ? [alarmTopic.arn] : [];
  return new aws.cloudwatch.MetricAlarm(name, {
    name: `${$app.name}-${$app.stage}-${name}`,
    namespace,
    metricName,
    dimensions,
    statistic: "Sum",
    period: 300,
    evaluationPeriods: 1,
    comparisonOperator: "GreaterThanOrEqualToThreshold",
    treatMissingData: "notBreaching",
    alarmActions: actions,
    okActions: actions,
    ...rule,
  });
}

/**
 * Returns a topic that sends mail to an address. AWS asks the address for confirmation first, and
 * sends no alarm before that.
 */
function mailTo(endpoint: string) {
  const topic = new sst.aws.SnsTopic("Alarms");
  new aws.sns.TopicSubscription("AlarmsEmail", { topic: topic.arn, protocol: "email", endpoint });
  return topic;
}
