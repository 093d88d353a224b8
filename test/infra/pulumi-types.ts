/**
 * The part of `@pulumi/pulumi` that the tests use. The package itself comes with SST's platform.
 */
export interface Pulumi {
  runtime: {
    setMocks(mocks: Mocks, project: string, stack: string, preview: boolean): Promise<void>;
    getMonitor(): Monitor;
    runInPulumiStack(program: () => unknown): Promise<Record<string, unknown>>;
  };
  asset: {
    Asset: { isInstance(value: unknown): boolean };
    Archive: { isInstance(value: unknown): boolean };
  };
}

interface Mocks {
  newResource(request: ResourceRequest): { id: string; state: Record<string, unknown> };
  call(request: { token: string; inputs: Record<string, unknown> }): Record<string, unknown>;
}

export interface ResourceRequest {
  type: string;
  name: string;
  inputs?: Record<string, unknown>;
  custom?: boolean;
  /** Set when the program takes over an existing resource. Empty otherwise. */
  id?: string;
}

/** The client side of the engine's gRPC interface. */
export interface Monitor {
  registerResource(
    request: WireRequest,
    done: (error: unknown, response: unknown) => void,
  ): unknown;
}

interface WireRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProtect(): boolean | undefined;
  getRetainondelete(): boolean | undefined;
}

/** The part of `@pulumi/pulumi/runtime/state` that runs a program with a memory of its own. */
export interface PulumiState {
  withLocalStorage<T>(program: () => T): T;
}
