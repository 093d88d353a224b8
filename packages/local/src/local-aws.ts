/**
 * The settings of SDK clients for an emulator. All clients use the same made-up credentials,
 * because DynamoDB Local without `-sharedDb` keeps one database per access key and region.
 */
export const localAws = (endpoint: string) => ({
  endpoint,
  region: LOCAL_REGION,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

export const LOCAL_REGION = "local";
