// The one place that knows which file the tests start as imgpack.
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The single executable that takes the place of Node and `dist/`: the environment variable IMGPACK_BIN. */
export const executable: string | undefined = process.env["IMGPACK_BIN"] || undefined;

/** The words that start the command that ships; its own words follow. */
export const COMMAND: readonly [file: string, ...words: string[]] =
  executable === undefined ? [process.execPath, join(ROOT, "dist/bin.cjs")] : [executable];

/** The same for a shell, quoted. */
export const SHELL_COMMAND: string = COMMAND.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
