/** The C client of Redis. */
import { cLibrary } from "./c_library.ts";

export const hiredis = cLibrary("hiredis", "libhiredis-dev", "hiredis/hiredis.h", "-lhiredis");
