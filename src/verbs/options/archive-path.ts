import { isEngineName } from "../../oci/names/engine-name.ts";
import { stat } from "../../util/read-disk.ts";

/** Whether a text means what can be read only once: stdin, or an image of an engine. */
export function isReadOnce(text: string): boolean {
  return text === "-" || isEngineName(text);
}

/**
 * Whether a text means a file rather than an image. A slash at the start, a leading dot, or the ending of an archive, a lock or a need list mean a file
 * even when there is none: the error then says so.
 */
export async function isArchivePath(text: string): Promise<boolean> {
  if (isReadOnce(text) || /^\.{0,2}\//.test(text) || /\.(tar|tgz|tar\.[a-z0-9]+|lock|json)$/i.test(text)) return true;
  return await stat(text).then(
    () => true,
    () => false,
  );
}
