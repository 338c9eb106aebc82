import { basename, dirname, join } from "node:path";
import { nearestWords } from "../../util/nearest/nearest-words.ts";
import { readdir } from "../../util/read-disk.ts";

/** Entries of a folder that are compared. */
const MAX_ENTRIES = 2000;
/** Endings that archives have, and that people forget or mix up. */
const ENDINGS = /\.(?:tar|tgz|gz|zst|xz|bz2|oci).*$/;

/** The file that was probably meant by a path that is not there: its name with another ending, or with a typing error. */
export async function nearestFile(path: string): Promise<string | undefined> {
  const wanted = basename(path);
  const names = (await readdir(dirname(path)).catch((): string[] => [])).slice(0, MAX_ENTRIES);
  const near = names.find(name => stem(name) === stem(wanted) && name !== wanted) ?? nearestWords(wanted, names)[0];
  if (near === undefined) return undefined;
  return path === wanted ? near : join(dirname(path), near);
}

function stem(name: string): string {
  return name.toLowerCase().replace(ENDINGS, "");
}
