import { hash } from "node:crypto";
import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import { discardFile, makeFolder, makeFolders } from "../util/disk.ts";
import { errorCode } from "../util/error-code.ts";
import { lstat, readdir } from "../util/read-disk.ts";
import { replaceUnsynced } from "../util/replace-file.ts";
import { CODE_ENDING, CODE_FOLDER, checkFoldersAbove, digestOf, trustedCodeFolder } from "./code-cache-file.ts";
import type { CodeToKeep } from "./load-program.ts";

const HOUR_MS = 3_600_000;
/** Files in use are replaced each week. */
const UNUSED_MS = 30 * 24 * HOUR_MS;
const ANOTHER_PROGRAM_MS = 24 * HOUR_MS;
const OUR_NAME = new RegExp(`^[a-z]{1,16}-(.+)\\${CODE_ENDING}(\\.[0-9a-f]{12})?$`);

/** Keeps compiled code for later runs, after a good one. Without room or rights for it, later runs take longer. */
export async function keepCodeCache({ entry: { base, name }, text, hash: noted, compiled }: CodeToKeep): Promise<void> {
  // The text may be that of another build, in the middle of an update.
  if (hash("sha256", text) !== noted) return;
  try {
    // An account without a home gets none.
    if (base.startsWith(`${homedir()}${sep}`)) realpathSync(homedir());
    // Before anything is made: under sudo that keeps HOME, a folder of root would lock its user out.
    checkFoldersAbove(join(existingPart(base), CODE_FOLDER));
    await makeFolders(base, 0o700);
    const real = join(realpathSync(base), CODE_FOLDER);
    checkFoldersAbove(real);
    await makeFolder(real, 0o700).catch(error => {
      if (errorCode(error) !== "EEXIST") throw error;
    });
    const folder = trustedCodeFolder(base);
    const code = compiled();
    await replaceUnsynced(join(folder, name), digestOf(code), code);
    await removeOld(folder, name);
  } catch {
    // The next run tries again.
  }
}

/** The real path of the folder, or of the lowest one above it that exists. */
function existingPart(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    if (errorCode(error) !== "ENOENT" || dirname(folder) === folder) throw error;
    return existingPart(dirname(folder));
  }
}

/** Removes caches that no run uses any more, and what interrupted runs left. */
async function removeOld(folder: string, kept: string): Promise<void> {
  const identity = OUR_NAME.exec(kept)?.[1];
  for (const name of await readdir(folder)) {
    const [, other, temporary] = OUR_NAME.exec(name) ?? [];
    if (other === undefined) continue;
    const limit = temporary !== undefined ? HOUR_MS : other === identity ? UNUSED_MS : ANOTHER_PROGRAM_MS;
    const path = join(folder, name);
    if (Date.now() - (await lstat(path)).mtimeMs > limit) await discardFile(path);
  }
}
