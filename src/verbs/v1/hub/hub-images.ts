import { UsageError } from "../../../errors.ts";
import type { IndexedImage } from "../../../registry/v1/hub/hub-repository.ts";
import { isLayerId } from "../../../registry/v1/v1-names.ts";
import { quote } from "../../../util/format.ts";
import { parseJson } from "../../../util/json/json.ts";
import { array, checkSchema, fields, nullish, type Schema, string } from "../../../util/json/schema.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { withRepository } from "./hub-connection.ts";

export interface HubImagesResult {
  /** `v1://HOST/NAMESPACE/NAME` */
  readonly repository: string;
  readonly images: readonly IndexedImage[];
}

export interface SetImagesOptions extends RemoteOptions {
  /** Names the list in messages. */
  readonly listName?: string | undefined;
}

const MAX_LIST_BYTES = 4 * 1024 * 1024;
type Listed = readonly { readonly id: string; readonly checksum?: string | null | undefined; readonly tag?: unknown }[];
const LIST: Schema<Listed> = array(fields({ id: string(), checksum: nullish(string()) }));
const RESULT: Schema<{ readonly images: Listed }> = fields({ images: LIST });

/** What an index has about the images of a repository. Some answer with an empty list. @throws NotFoundError, AuthError */
export async function listImages(text: string, options: RemoteOptions): Promise<HubImagesResult> {
  return await withRepository(text, options, async (repository, name) => ({
    repository: name,
    images: await repository.images(),
  }));
}

/**
 * Sends a list of images to an index: it adds those that it does not have, and takes the checksums.
 *
 * @param list JSON: `[{"id", "checksum"}]`, or what `listImages` returns.
 * @throws UsageError for another document, or for what is no id or checksum.
 */
export async function setImages(text: string, list: string, options: SetImagesOptions): Promise<HubImagesResult> {
  const images = checkedImages(list, options.listName ?? "the given list");
  return await withRepository(text, options, async (repository, name) => {
    await repository.setImages(Buffer.from(JSON.stringify(images)));
    return { repository: name, images };
  });
}

function checkedImages(text: string, where: string): readonly IndexedImage[] {
  const fail = (_reason: string, message: string): Error =>
    new UsageError(message, { hint: 'Write [{"id": "64 hex digits", "checksum": "sha256:…"}].' });
  const document = parseJson(Buffer.from(text), { what: "images", where, maxBytes: MAX_LIST_BYTES, fail });
  const list = Array.isArray(document)
    ? checkSchema(LIST, document, "images", where, fail)
    : checkSchema(RESULT, document, "images", where, fail).images;
  return list.map(({ id, checksum }) => {
    if (!isLayerId(id)) {
      throw new UsageError(`Cannot set images of ${where}: found id ${quote(id)}, expected 64 hex digits, or 16`);
    }
    if (checksum && !/^[\x21-\x7e]{1,200}$/.test(checksum)) {
      throw new UsageError(
        `Cannot set images of ${where}: found checksum ${quote(checksum)}, expected one word, such as sha256:…`,
      );
    }
    return { id, ...(checksum ? { checksum } : {}) };
  });
}
