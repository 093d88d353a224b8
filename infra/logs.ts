/**
 * Settings for `transform` of a function. Lambda writes its own lines only when something goes
 * wrong. Two lines for each successful call would cost more than the call, and the metrics already
 * count the calls.
 */
export const quiet: sst.aws.FunctionArgs["transform"] = {
  function: (args) => {
    args.loggingConfig = $util
      .output(args.loggingConfig)
      .apply((config) => ({ logFormat: "JSON", ...config, systemLogLevel: "WARN" }));
    return undefined;
  },
};
