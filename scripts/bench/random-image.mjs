// @ts-check
// A docker archive whose layers do not shrink: what it measures of a pull is moving, hashing and writing, not inflating.
import { createCipheriv, createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { pack } from "tar-stream";

const MIB = 2 ** 20;
const BLOCK = 512;

/**
 * @param {string} file
 * @param {{ layers: number, layerMiB: number }} size
 */
export async function writeRandomImage(file, { layers, layerMiB }) {
  const output = await open(file, "w");
  try {
    const diffIds = [];
    for (let layer = 0; layer < layers; layer++) {
      // A key stream is random enough, fast, and the same each time.
      const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, layer + 1), Buffer.alloc(16));
      const head = await header("data.bin", layerMiB * MIB);
      const tail = Buffer.alloc(2 * BLOCK);
      await output.write(await header(`${layer}/layer.tar`, head.length + layerMiB * MIB + tail.length));
      const hash = createHash("sha256");
      const write = async (/** @type {Buffer} */ bytes) => {
        hash.update(bytes);
        await output.write(bytes);
      };
      await write(head);
      for (let index = 0; index < layerMiB; index++) await write(cipher.update(Buffer.alloc(MIB)));
      await write(tail);
      diffIds.push(`sha256:${hash.digest("hex")}`);
    }
    const config = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: diffIds } };
    const manifest = [
      {
        Config: "config.json",
        RepoTags: ["imgpack-bench-random:latest"],
        Layers: diffIds.map((_, layer) => `${layer}/layer.tar`),
      },
    ];
    for (const [name, document] of Object.entries({ "config.json": config, "manifest.json": manifest })) {
      const bytes = Buffer.from(JSON.stringify(document));
      await output.write(await header(name, bytes.length));
      await output.write(Buffer.concat([bytes, Buffer.alloc(-bytes.length & (BLOCK - 1))]));
    }
    await output.write(Buffer.alloc(2 * BLOCK));
  } finally {
    await output.close();
  }
}

/** @param {string} name @param {number} size @returns {Promise<Buffer>} a tar header */
async function header(name, size) {
  const tar = pack();
  tar.entry({ name, size, mtime: new Date(0) });
  for await (const chunk of tar) {
    tar.destroy();
    return /** @type {Buffer} */ (chunk);
  }
  throw new Error("Cannot make a tar header");
}
