/**
 * AWS's list prices for us-east-1 in US dollars, without free allowances or discounts, from public
 * pages and price summaries. Look up the prices of your region. Most differ by less than a quarter.
 */
export const PRICES = {
  date: "2026-11-24",
  region: "us-east-1",
  httpApiMillion: 1.0,
  lambdaMillion: 0.2,
  queueMillion: 0.4,
  lambdaGbSecondArm: 0.0000133334,
  writeMillion: 0.625,
  readMillion: 0.125,
  storageGbMonth: 0.25,
  backupGbMonth: 0.2,
  logsIngestGb: 0.5,
  logsKeepGbMonth: 0.03,
  metricMonth: 0.3,
  alarmMonth: 0.1,
  transferOutGb: 0.09,
  objectGbMonth: 0.023,
  objectPutThousand: 0.005,
  objectReadThousand: 0.0004,
} as const;

/**
 * The permanent free allowance of an account per month, in dollars, by the item that it reduces.
 */
export const FREE: Readonly<Record<string, number>> = {
  "Lambda, router: requests": PRICES.lambdaMillion,
  "Lambda, router: time": 400_000 * PRICES.lambdaGbSecondArm,
  Storage: 25 * PRICES.storageGbMonth,
  Logs: 5 * PRICES.logsIngestGb,
  Metrics: 10 * PRICES.metricMonth,
  Alarms: 10 * PRICES.alarmMonth,
  "Data transfer out": 100 * PRICES.transferOutGb,
};

export const SOURCES = [
  "https://aws.amazon.com/dynamodb/pricing/on-demand/",
  "https://aws.amazon.com/lambda/pricing/",
  "https://aws.amazon.com/api-gateway/pricing/",
  "https://aws.amazon.com/cloudwatch/pricing/",
  "https://aws.amazon.com/ec2/pricing/on-demand/ (data transfer)",
  "https://aws.amazon.com/s3/pricing/",
  "https://aws.amazon.com/sqs/pricing/",
];
