/** What goes into a stream: a message, and the identity by which the broker drops its repetitions. */
export interface StreamRecord {
  /** The producer reference: publishing ids rise within it. */
  readonly reference: string;
  /** The publishing id, upper and lower 32 bits. */
  readonly high: number;
  readonly low: number;
  /** AMQP 1.0 bytes. */
  readonly bytes: Uint8Array;
  /** Stands between what was offered before it and what comes after, whatever their references. */
  readonly is_barrier: boolean;
}
