import { hasGlob } from "../../../bundle/list/reference-glob.ts";
import { UsageError } from "../../../errors.ts";
import { parseImageConfig } from "../../../oci/image-config.ts";
import { legacyConfig } from "../../../oci/legacy/legacy-config.ts";
import { formatV1Reference, parseV1Reference } from "../../../oci/legacy/v1-reference.ts";
import { formatPlatform } from "../../../oci/platform.ts";
import { readV1Image } from "../../../registry/v1/read-v1-image.ts";
import type { V1Image } from "../../../registry/v1/v1-image.ts";
import { quote } from "../../../util/format.ts";
import type { InspectedImage } from "../../shared/describe-images.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { withStore } from "./v1-queries.ts";

/** A v1 image by its chain alone. Its digests are known after its layers are read, so it has none here. */
export async function inspectV1(text: string, options: RemoteOptions): Promise<InspectedImage> {
  const { image, source } = await imageOf("inspect", text, options);
  const chain = image.chain.map(({ layer }) => layer);
  const config = parseImageConfig(legacyConfig(chain, [], { where: quote(source) }), `JSON of ${quote(source)}`);
  return {
    names: [source],
    mediaType: "application/json",
    v1Id: image.id,
    platforms: [
      {
        platform: formatPlatform(config),
        ...(config.created === undefined ? {} : { created: config.created }),
        layers: [],
        v1Layers: image.chain.map(({ json: { id, size } }) => ({ id, ...(size === undefined ? {} : { size }) })),
        history: config.history,
        runtime: config.runtime,
      },
    ],
    absent: [],
  };
}

/** The JSON of the top layer: what v1 has in place of a config. */
export async function configOfV1(
  text: string,
  options: RemoteOptions,
): Promise<{ readonly reference: string; readonly bytes: Uint8Array }> {
  const { image, source } = await imageOf("read config of", text, options);
  return { reference: source, bytes: image.chain.at(-1)?.json.bytes ?? new Uint8Array() };
}

async function imageOf(
  verb: string,
  text: string,
  options: RemoteOptions,
): Promise<{ readonly image: V1Image; readonly source: string }> {
  const { store: place, namespace, name, tag = "latest" } = parseV1Reference(text);
  if (namespace === undefined || name === undefined || hasGlob(tag))
    throw new UsageError(`Cannot ${verb} ${quote(text)}: found no single image, expected one`);
  return await withStore(text, options, async store => {
    const session = await store.open({ namespace, name }, options.signal);
    const image = await readV1Image(session, tag, options.signal);
    return { image, source: formatV1Reference({ store: place, namespace, name, tag }) };
  });
}
