/**
 * The one time stamp of all entries of a reproducible archive: `SOURCE_DATE_EPOCH` (reproducible-builds.org), else the
 * first moment a zip can hold. Zip stamps have no zone; ours are UTC whatever the zone of the machine is.
 */
import { quoted, UserError } from "../../base/errors.ts";

/** 1980-01-01T00:00:00Z in Unix seconds. */
const FIRST_S = Date.UTC(1980, 0, 1) / 1000;
const DAY_S = 86_400;
/** The last day but one that a zip can hold, so that the zone of the machine cannot push a stamp over the edge. */
const LAST_S = Date.UTC(2107, 11, 30) / 1000;

/** Throws a UserError when the variable is no number of seconds that a zip can hold. */
export function archiveTime(source_date_epoch: string | undefined): Date {
  if (source_date_epoch === undefined || source_date_epoch === "") return new UtcDate(FIRST_S * 1000);
  const seconds = /^\d{1,12}$/.test(source_date_epoch) ? Number(source_date_epoch) : NaN;
  if (!(seconds <= LAST_S)) {
    throw new UserError(
      `read SOURCE_DATE_EPOCH: ${
        quoted(source_date_epoch)
      }, want whole seconds since 1970, at most ${LAST_S}`,
      { code: 2 },
    );
  }
  // earlier stamps cannot be held, and the first day lies before the first moment in some zones
  return new UtcDate((seconds < FIRST_S + DAY_S ? FIRST_S : seconds) * 1000);
}

/** yazl asks for local fields; these are UTC's. */
class UtcDate extends Date {
  override getFullYear = () => this.getUTCFullYear();
  override getMonth = () => this.getUTCMonth();
  override getDate = () => this.getUTCDate();
  override getHours = () => this.getUTCHours();
  override getMinutes = () => this.getUTCMinutes();
  override getSeconds = () => this.getUTCSeconds();
}
