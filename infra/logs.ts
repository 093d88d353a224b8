/**
 * For `transform` of a function: Lambda's own lines only when something went wrong. Two lines per
 * call that went well would cost more than the call; metrics have their numbers.
 */
export const quiet: sst.aws.FunctionArgs["transform"] = {
  function: (args) => {
    args.loggingConfig = $util
      .output(args.loggingConfig)
      .apply((config) => ({ logFormat: "JSON", ...config, systemLogLevel: "WARN" }));
    return undefined;
  },
};
