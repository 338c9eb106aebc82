import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A storage folder of docker-registry, which ends with the test. */
export class TestV1Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<TestV1Folder> {
    return new TestV1Folder(await mkdtemp(join(tmpdir(), "imgpack-v1-")));
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    const path = join(this.path, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }

  /** @param digits one per layer, base first: the id consists of it. */
  async addImage(name: string, tag: string, digits: string, layers: readonly Uint8Array[]): Promise<void> {
    const ids = [...digits].map(digit => digit.repeat(64));
    for (const [index, id] of ids.entries()) {
      const parent = ids[index - 1];
      const json = JSON.stringify({ id, ...(parent && { parent }), docker_version: "1.9.1", os: "linux" });
      const layer = layers[index] ?? new Uint8Array(0);
      await this.write(`images/${id}/json`, json);
      await this.write(`images/${id}/layer`, layer);
      await this.write(`images/${id}/ancestry`, JSON.stringify(ids.slice(0, index + 1).reverse()));
      const checksum = createHash("sha256").update(`${json}\n`).update(layer).digest("hex");
      await this.write(`images/${id}/_checksum`, JSON.stringify(["tarsum+sha256:0", `sha256:${checksum}`]));
    }
    await this.write(`repositories/${name}/tag_${tag}`, ids.at(-1) ?? "");
    await this.write(`repositories/${name}/_index_images`, "[]");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true });
  }
}
