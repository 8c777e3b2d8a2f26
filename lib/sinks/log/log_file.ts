/**
 * One NDJSON file that always ends with a whole line: a write that fails in the middle is taken back, and what a crash
 * left behind the last line end is cut off before anything is appended.
 */

const NEWLINE = 10;
/** How much is read at a time when looking for the last line end. */
const STEP_BYTES = 64 * 1024;

export class LogFile {
  #dirty = false;
  /** What was taken back could not be cut off: the file must be opened anew, which cuts it off. */
  broken = false;

  private constructor(readonly path: string, readonly file: Deno.FsFile, public bytes: number) {}

  /** Opens to append, makes it where it is not there. `cut_bytes`: what was cut off its end. */
  static async open(path: string, mode: number): Promise<{ file: LogFile; cut_bytes: number }> {
    const file = await Deno.open(path, { read: true, write: true, create: true, mode });
    try {
      const { size } = await file.stat();
      const whole = await endOfLastLine(file, size);
      if (whole < size) await file.truncate(whole);
      await file.seek(0, Deno.SeekMode.End);
      if (size === 0 && Deno.build.os !== "windows") await Deno.chmod(path, mode);
      return { file: new LogFile(path, file, whole), cut_bytes: size - whole };
    } catch (error) {
      file.close();
      throw error;
    }
  }
  /** Whole lines. Rejects with nothing of them left in the file. */
  async append(lines: Uint8Array): Promise<void> {
    this.#dirty = true;
    let done = 0;
    try {
      while (done < lines.length) done += await this.file.write(lines.subarray(done));
      this.bytes += lines.length;
    } catch (error) {
      await this.#takeBack();
      throw error;
    }
  }
  /** Puts what was appended onto the disk itself. */
  async sync(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    try {
      await this.file.syncData();
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
  }
  close(): void {
    this.file.close();
  }

  async #takeBack(): Promise<void> {
    try {
      await this.file.truncate(this.bytes);
      await this.file.seek(this.bytes, Deno.SeekMode.Start);
    } catch {
      this.broken = true;
    }
  }
}

/** Cuts off what stands behind the last line end; returns how many bytes that were. */
export async function cutTornLine(path: string): Promise<number> {
  using file = await Deno.open(path, { read: true, write: true });
  const { size } = await file.stat();
  const whole = await endOfLastLine(file, size);
  if (whole < size) await file.truncate(whole);
  return size - whole;
}

/** The offset behind the last line end, 0 where there is none. */
async function endOfLastLine(file: Deno.FsFile, size: number): Promise<number> {
  const buffer = new Uint8Array(STEP_BYTES);
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - STEP_BYTES);
    const part = buffer.subarray(0, end - start);
    await file.seek(start, Deno.SeekMode.Start);
    for (let done = 0; done < part.length;) {
      const read = await file.read(part.subarray(done));
      if (read === null) return await endOfLastLine(file, start + done);
      done += read;
    }
    const at = part.lastIndexOf(NEWLINE);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}
