/** What plays sound, one line each. Adding one: write its file, add its line. */
export { afplay } from "./afplay.ts";
export { aplay } from "./aplay.ts";
export { paplay } from "./paplay.ts";
export { soundPlayer } from "./sound_player.ts";
