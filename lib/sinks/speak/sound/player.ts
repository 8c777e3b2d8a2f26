/** The words a program is described in that plays a WAV file on a device of the machine. */
export interface Device {
  /** As the program takes it. */
  readonly name: string;
  readonly description: string;
}

export interface PlayerKind {
  readonly name: string;
  readonly program: string;
  /** Tried in this order. */
  readonly order: number;
  readonly systems: readonly (typeof Deno.build.os)[];
  readonly install: string;
  /** How to ask for the devices, and how to read the answer; absent: there is the default one only. */
  readonly listing?: {
    readonly program: string;
    readonly args: readonly string[];
    read(stdout: string): Device[];
  };
  play(device: string, path: string): { args: readonly string[]; env?: Readonly<Record<string, string>> };
}

export const DEFAULT_DEVICE: Device = { name: "default", description: "what the system is set to" };
