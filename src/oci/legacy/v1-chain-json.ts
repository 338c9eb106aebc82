import { ArchiveError } from "../../errors.ts";
import { rawMembers } from "../../util/json/raw-members.ts";
import { type Digest, digestAlgorithm, digestHex, digestOf } from "../digest.ts";
import { parseImageConfig } from "../image-config.ts";
import { compareKeys, escapeAsGo } from "./go-json.ts";

/** A layer as the v1 protocol has it. */
export interface V1ChainJson {
  /** 64 hex digits. */
  readonly id: string;
  readonly json: Uint8Array;
}

/** Fields of an image config that the JSON of a v1 layer does not have. */
const CONFIG_FIELDS = ["rootfs", "history", "os.version", "os.features", "parent"];

/**
 * Ids and JSON of the layers of an image, base first, as Docker 1.10 to 1.13 push them (distribution/push_v1.go): the top has
 * the id of the image and its config, each other layer the hex of its chain ID and nothing but id and parent. Steps of the
 * history without a layer are not represented; an image without layers is one empty layer.
 *
 * @param where names the image in messages.
 * @throws ArchiveError for a config that cannot be read, or layers that have no id of this form.
 */
export function v1ChainJson(config: Uint8Array, where: string): readonly V1ChainJson[] {
  const { diffIds } = parseImageConfig(config, where);
  const chain: V1ChainJson[] = [];
  let chainId: Digest | undefined;
  for (const diffId of diffIds) {
    if (digestAlgorithm(diffId) !== "sha256") {
      throw new ArchiveError("digest-algorithm", `Cannot push ${where}: found diff_id ${diffId}, expected sha256`, {
        hint: "Ids of the v1 protocol are made of sha256 digests.",
      });
    }
    if (chainId !== undefined) chain.push(dependency(digestHex(chainId), chain.at(-1)?.id));
    chainId = chainId === undefined ? diffId : digestOf(Buffer.from(`${chainId} ${diffId}`));
  }
  const id = digestHex(digestOf(config));
  return [...chain, { id, json: topJson(config, id, chain.at(-1)?.id) }];
}

function dependency(id: string, parent: string | undefined): V1ChainJson {
  return { id, json: Buffer.from(JSON.stringify({ id, ...(parent === undefined ? {} : { parent }) })) };
}

function topJson(config: Uint8Array, id: string, parent: string | undefined): Uint8Array {
  const members = new Map(rawMembers(Buffer.from(config).toString("utf8")));
  for (const field of CONFIG_FIELDS) members.delete(field);
  members.set("id", JSON.stringify(id));
  if (parent !== undefined) members.set("parent", JSON.stringify(parent));
  const sorted = [...members].sort(([left], [right]) => compareKeys(left, right));
  const json = sorted.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",");
  return Buffer.from(escapeAsGo(`{${json}}`));
}
