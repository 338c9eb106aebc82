import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SHELL_COMMAND } from "../support/command.ts";
import { describeWith } from "./peers/describe-with.ts";
import { type DockerRegistry, registryAccount, startDockerRegistry } from "./peers/docker-registry.ts";
import { fixture } from "./peers/goldens.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { heldImage, heldManifest, heldTags, sha256 } from "./peers/registry-content.ts";
import { findTool, type RunResult, run } from "./peers/run.ts";
import { type Served, startServe } from "./peers/served.ts";
import { copyWithSkopeo } from "./peers/skopeo.ts";

const hello = fixture("docker20-hello.tar");
const MANY = Array.from({ length: 250 }, (_, place) => `0.${place}.0`);

/** What imgpack printed; it must have succeeded. */
async function printed(imgpack: Imgpack, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await imgpack.run(args);
  if (code !== 0) throw new Error(`imgpack ${args.join(" ")}: exit code ${code}\n${stderr}`);
  return stdout;
}

async function skopeo(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run("skopeo", args);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** Undefined where there is no crane. */
async function crane(...args: readonly string[]): Promise<RunResult | undefined> {
  return findTool("crane") === undefined ? undefined : await run("crane", args);
}

describeWith(["docker-registry", "skopeo"], "operations on docker-registry", () => {
  let imgpack: Imgpack;
  let registry: DockerRegistry;
  let host: string;
  beforeAll(async () => {
    [imgpack, registry] = await Promise.all([createImgpack(), startDockerRegistry()]);
    host = registry.host;
    await imgpack.push([hello, "--registry", host]);
    const multi = `oci-archive:${fixture("multi-platform-oci.tar")}`;
    await copyWithSkopeo(multi, `docker://${host}/multi:1.0`, ["--all", "--preserve-digests"]);
    await printed(imgpack, "tag", `${host}/hello:latest`, ...MANY.map(tag => `many/hello:${tag}`));
  });
  afterAll(async () => {
    await registry?.close();
    await imgpack?.close();
  });

  test("imgpack tag gave the image 250 names in another repository, its blobs mounted", async () => {
    const { digest } = await heldImage(registry.url, "hello", "latest");
    expect(await heldImage(registry.url, "many/hello", "0.249.0")).toMatchObject({ digest });
    expect(registry.log()).toMatch(/POST \/v2\/many\/hello\/blobs\/uploads\/\?mount=[^ ]* HTTP\/1\.1" 201/);
    expect(registry.log()).not.toMatch(/PATCH \/v2\/many\/hello/);
  });

  test("imgpack tags lists as skopeo and crane do, sorts versions, and stops at a limit", async () => {
    const repository = `${host}/many/hello`;
    const told = JSON.parse(await skopeo("list-tags", "--tls-verify=false", `docker://${repository}`));
    const listed = (await printed(imgpack, "tags", repository)).trimEnd().split("\n");
    expect(listed).toHaveLength(250);
    expect(listed.toSorted()).toEqual(told.Tags.toSorted());
    const other = await crane("ls", "--insecure", repository);
    if (other !== undefined) expect(listed.toSorted()).toEqual(other.stdout.trimEnd().split("\n").toSorted());
    const newest = await printed(imgpack, "tags", repository, "--sort", "semver", "--limit", "2");
    expect(newest).toBe("0.249.0\n0.248.0\n");
    expect((await printed(imgpack, "tags", repository, "--limit", "3")).trimEnd().split("\n")).toHaveLength(3);
    const created = JSON.parse(await printed(imgpack, "tags", `${host}/multi`, "--sort", "time", "--json"));
    expect(created.tags).toEqual([expect.objectContaining({ tag: "1.0", created: expect.stringMatching(/^\d{4}-/) })]);
  });

  test("imgpack latest and digest agree with skopeo and crane", async () => {
    const { digest } = await heldImage(registry.url, "hello", "latest");
    expect(await printed(imgpack, "latest", `${host}/many/hello`)).toBe(`${host}/many/hello:0.249.0@${digest}\n`);
    const own = (await printed(imgpack, "digest", `${host}/multi:1.0`)).trimEnd();
    const format = await skopeo("inspect", "--tls-verify=false", "--raw", `docker://${host}/multi:1.0`);
    expect(own).toBe(`${host}/multi@${sha256(Buffer.from(format))}`);
    const arm64 = (await printed(imgpack, "digest", `${host}/multi:1.0`, "--platform", "linux/arm64")).trimEnd();
    const { manifests } = await heldManifest(registry.url, "multi", "1.0");
    const child = manifests.find(({ platform }) => platform?.architecture === "arm64");
    expect(arm64).toBe(`${host}/multi@${child?.digest}`);
    for (const flags of [[], ["--platform", "linux/arm64"]]) {
      const told = await crane("digest", "--insecure", ...flags, `${host}/multi:1.0`);
      if (told === undefined) continue;
      expect((await printed(imgpack, "digest", `${host}/multi:1.0`, ...flags)).trimEnd()).toBe(
        `${host}/multi@${told.stdout.trim()}`,
      );
    }
  });

  test("imgpack manifest --raw and config give the bytes that skopeo and crane get", async () => {
    for (const name of ["hello:latest", "multi:1.0"]) {
      const image = `docker://${host}/${name}`;
      const raw = await printed(imgpack, "manifest", "--raw", `${host}/${name}`);
      expect(raw).toBe(await skopeo("inspect", "--tls-verify=false", "--raw", image));
      const own = await printed(imgpack, "config", `${host}/${name}`, "--platform", "linux/amd64");
      expect(own.trimEnd()).toBe(
        (await skopeo("--override-arch=amd64", "inspect", "--tls-verify=false", "--raw", "--config", image)).trimEnd(),
      );
      const manifest = await crane("manifest", "--insecure", `${host}/${name}`);
      if (manifest !== undefined) expect(raw.trimEnd()).toBe(manifest.stdout.trimEnd());
      const config = await crane("config", "--insecure", "--platform", "linux/amd64", `${host}/${name}`);
      if (config !== undefined) expect(own.trimEnd()).toBe(config.stdout.trimEnd());
    }
  });

  test("imgpack manifest names the instruction and the size of each layer", async () => {
    const described = JSON.parse(await printed(imgpack, "manifest", `${host}/hello:latest`, "--json"));
    const { layers } = await heldManifest(registry.url, "hello", "latest");
    const told = JSON.parse(await skopeo("inspect", "--tls-verify=false", "--config", `docker://${host}/hello:latest`));
    const steps = told.history.filter((step: { empty_layer?: boolean }) => step.empty_layer !== true);
    expect(
      described.platforms[0].layers.map((layer: { digest: string; size: number }) => [layer.digest, layer.size]),
    ).toEqual(layers.map(({ digest, size }) => [digest, size]));
    expect(described.platforms[0].layers.map((layer: { createdBy?: string }) => layer.createdBy)).toEqual(
      steps.map((step: { created_by?: string }) => step.created_by),
    );
    expect(await printed(imgpack, "manifest", `${host}/multi:1.0`)).toMatch(
      /^Platforms {2}linux\/amd64, linux\/arm64/m,
    );
  });

  test("imgpack blob downloads a layer, checked", async () => {
    const { layers } = await heldManifest(registry.url, "hello", "latest");
    const digest = layers[0]?.digest ?? "";
    await printed(imgpack, "blob", `${host}/hello@${digest}`, "-o", `${imgpack.folder}/layer`);
    expect(sha256(await readFile(`${imgpack.folder}/layer`))).toBe(digest);
    const piped = await imgpack.run(["blob", `${host}/hello@${digest}`, "-o", "-"]);
    expect(sha256(piped.stdoutBytes)).toBe(digest);
  });

  test("imgpack catalog, exists and ping say what is there", async () => {
    expect(await printed(imgpack, "catalog", host)).toBe("hello\nmany/hello\nmulti\n");
    expect(await imgpack.run(["exists", `${host}/hello:latest`])).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await imgpack.run(["exists", `${host}/hello:none`])).toMatchObject({
      code: 5,
      stdout: "",
      stderr: `Not there: ${host}/hello:none\n`,
    });
    expect(JSON.parse(await printed(imgpack, "ping", host, "--json"))).toMatchObject({
      apiVersion: "registry/2.0",
      auth: "none",
      access: "granted",
      catalog: "yes",
      head: "yes",
      ranges: "yes",
      referrers: "no",
    });
  });

  test("imgpack copy moves all platforms to another registry, the digest kept, and one platform alone", async () => {
    const other = await startDockerRegistry();
    try {
      await printed(imgpack, "copy", `${host}/multi:1.0`, `${other.host}/team/multi`);
      const { digest, manifests } = await heldManifest(registry.url, "multi", "1.0");
      expect((await heldManifest(other.url, "team/multi", "1.0")).digest).toBe(digest);
      for (const child of manifests) await heldImage(other.url, "team/multi", child.digest);
      await printed(imgpack, "copy", `${host}/multi:1.0`, `${other.host}/one:1`, "--platform", "linux/arm64");
      const arm64 = manifests.find(({ platform }) => platform?.architecture === "arm64");
      expect((await heldManifest(other.url, "one", "1")).digest).toBe(arm64?.digest);
      const both = ["linux/amd64,linux/arm64"];
      await printed(imgpack, "copy", `${host}/multi:1.0`, `${other.host}/both:1`, "--platform", ...both);
      expect((await heldManifest(other.url, "both", "1")).manifests.map(entry => entry.platform?.architecture)).toEqual(
        ["amd64", "arm64"],
      );
    } finally {
      await other.close();
    }
  });

  test("imgpack delete on distribution 2 removes the manifest, and names the tags that go with it", async () => {
    await printed(imgpack, "tag", `${host}/multi:1.0`, "doomed:1", "doomed:2");
    const { digest } = await heldManifest(registry.url, "doomed", "1");
    const refused = await imgpack.run(["delete", `${host}/doomed:1`]);
    expect(refused).toMatchObject({ code: 2 });
    expect(await heldTags(registry.url, "doomed")).toEqual(["1", "2"]);
    const { code, stdout, stderr } = await imgpack.run(["delete", "--yes", "--all-tags", `${host}/doomed:1`]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${host}/doomed@${digest}\n` });
    expect(stderr).toContain("and its 2 tag(s): 1, 2");
    for (const tag of ["1", "2"])
      expect(await imgpack.run(["exists", `${host}/doomed:${tag}`])).toMatchObject({ code: 5 });
    expect(await imgpack.run(["exists", `${host}/multi:1.0`])).toMatchObject({ code: 0 });
  });
});

describeWith(["docker-registry"], "operations on a closed docker-registry", () => {
  test("imgpack says that deletion is switched off, and how to switch it on", async () => {
    const [imgpack, registry] = await Promise.all([
      createImgpack(),
      startDockerRegistry({ env: { REGISTRY_STORAGE_DELETE_ENABLED: "false" } }),
    ]);
    try {
      await imgpack.push([hello, "--registry", registry.host]);
      const { code, stderr } = await imgpack.run(["delete", "--yes", `${registry.host}/hello:latest`]);
      expect(code).toBe(8);
      expect(stderr).toContain("status 405 UNSUPPORTED");
      expect(stderr).toContain("REGISTRY_STORAGE_DELETE_ENABLED=true");
      expect(await heldTags(registry.url, "hello")).toEqual(["latest"]);
    } finally {
      await registry.close();
      await imgpack.close();
    }
  });

  test("imgpack catalog follows the pages of a registry that refuses a large page", async () => {
    const [imgpack, registry] = await Promise.all([
      createImgpack(),
      startDockerRegistry({ env: { REGISTRY_CATALOG_MAXENTRIES: "2" } }),
    ]);
    const { host } = registry;
    try {
      await imgpack.push([hello, "--registry", host]);
      const names = ["a/x", "b", "c/y", "d"];
      await printed(imgpack, "tag", `${host}/hello:latest`, ...names.map(name => `${name}:1`));
      expect(await printed(imgpack, "catalog", host)).toBe("a/x\nb\nc/y\nd\nhello\n");
      expect(registry.log()).toMatch(/_catalog\?last=[^ ]* HTTP\/1\.1" 200/);
    } finally {
      await registry.close();
      await imgpack.close();
    }
  });

  test("imgpack operations pass the password of a registry that wants one, and say so without", async () => {
    const { username, password, htpasswd } = registryAccount;
    const [imgpack, registry] = await Promise.all([createImgpack(), startDockerRegistry({ htpasswd })]);
    const { host } = registry;
    const login = ["--username", username, "--password-stdin"];
    const asUser = async (...args: readonly string[]): Promise<RunResult> =>
      await imgpack.run([...args, ...login], { input: `${password}\n` });
    try {
      expect(await asUser("push", hello, "--registry", host)).toMatchObject({ code: 0 });
      for (const [verb, name] of [
        ["tags", `${host}/hello`],
        ["digest", `${host}/hello:latest`],
        ["manifest", `${host}/hello:latest`],
        ["exists", `${host}/hello:latest`],
        ["catalog", host],
        ["ping", host],
        ["referrers", `${host}/hello:latest`],
      ] as const) {
        expect([verb, (await imgpack.run([verb, name])).code]).toEqual([verb, 4]);
        expect([verb, (await asUser(verb, name)).code]).toEqual([verb, 0]);
      }
      expect(await asUser("tag", `${host}/hello:latest`, "1", "copy/hello:1")).toMatchObject({ code: 0 });
      expect(await asUser("copy", `${host}/hello:1`, `${host}/third/hello:1`)).toMatchObject({ code: 0 });
      expect(await asUser("delete", "--yes", `${host}/third/hello:1`)).toMatchObject({ code: 0 });
      expect(await asUser("exists", `${host}/third/hello:1`)).toMatchObject({ code: 5 });
      expect(await asUser("exists", `${host}/copy/hello:1`)).toMatchObject({ code: 0 });
    } finally {
      await registry.close();
      await imgpack.close();
    }
  });
});

describe("operations on imgpack serve", () => {
  let imgpack: Imgpack;
  let host: string;
  let server: Served;
  beforeAll(async () => {
    imgpack = await createImgpack();
    const store = `${imgpack.folder}/store`;
    server = await startServe(store);
    ({ host } = server);
    await imgpack.push([hello, "--registry", host]);
  });
  afterAll(async () => {
    await server?.end();
    await imgpack?.close();
  });

  test("imgpack tag, tags, catalog and ping work on our own registry", async () => {
    await printed(imgpack, "tag", `${host}/hello:latest`, ...MANY.slice(0, 30), "prod/hello:1");
    expect((await printed(imgpack, "tags", `${host}/hello`)).trimEnd().split("\n")).toHaveLength(31);
    expect(await printed(imgpack, "catalog", host)).toBe("hello\nprod/hello\n");
    expect(JSON.parse(await printed(imgpack, "ping", host, "--json"))).toMatchObject({
      catalog: "yes",
      head: "yes",
      ranges: "yes",
      referrers: "yes",
    });
  });

  test("imgpack delete removes one tag alone, and by digest all of them", async () => {
    await printed(imgpack, "tag", `${host}/hello:latest`, "gone/hello:1", "gone/hello:2");
    expect(await printed(imgpack, "delete", "--yes", `${host}/gone/hello:1`)).toBe(`${host}/gone/hello:1\n`);
    expect(await printed(imgpack, "tags", `${host}/gone/hello`)).toBe("2\n");
    const pinned = (await printed(imgpack, "digest", `${host}/gone/hello:2`)).trimEnd();
    expect(await printed(imgpack, "delete", "--yes", pinned)).toBe(`${pinned}\n`);
    expect(await imgpack.run(["exists", `${host}/gone/hello:2`])).toMatchObject({ code: 5 });
    expect(await imgpack.run(["exists", `${host}/hello:latest`])).toMatchObject({ code: 0 });
  });

  test("imgpack referrers lists what refers to an image, by the API", async () => {
    const digest = (await printed(imgpack, "digest", `${host}/hello:latest`)).trimEnd().split("@")[1] ?? "";
    const bytes = await printed(imgpack, "manifest", "--raw", `${host}/hello:latest`);
    const mediaType = JSON.parse(bytes).mediaType;
    const empty = Buffer.from("{}");
    await put(`http://${host}/v2/hello/blobs/uploads/`, empty);
    const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: sha256(empty), size: 2 };
    const note = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: "application/vnd.example.note",
      config,
      layers: [config],
      subject: { mediaType, digest, size: Buffer.byteLength(bytes) },
    });
    const stored = await fetch(`http://${host}/v2/hello/manifests/${sha256(Buffer.from(note))}`, {
      method: "PUT",
      headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" },
      body: note,
    });
    expect(stored.status).toBe(201);
    const found = JSON.parse(await printed(imgpack, "referrers", `${host}/hello:latest`, "--json"));
    expect(found).toMatchObject({ via: "api", digest, referrers: [{ digest: sha256(Buffer.from(note)) }] });
    const other = ["--artifact-type", "application/other", "--json"];
    expect(JSON.parse(await printed(imgpack, "referrers", `${host}/hello:latest`, ...other)).referrers).toEqual([]);
  });
});

describeWith(["docker-registry", "curl", "jq"], "docs/CURL.md", () => {
  test("every curl line of docs/CURL.md works, and so does the imgpack command beside it", async () => {
    const text = await readFile(new URL("../../docs/CURL.md", import.meta.url), "utf8");
    const types = /```sh\n(TYPES=[\s\S]*?)```/.exec(text)?.[1] ?? "";
    const cell = (column: string): string => /^`(.*)`$/.exec(column.trim())?.[1]?.replaceAll("\\|", "|") ?? "";
    const rows = text.split("\n").flatMap(line => {
      const [, curl = "", own = ""] = line.split(/(?<!\\)\|/);
      return cell(own).startsWith("imgpack ") ? [{ curl: cell(curl), own: cell(own) }] : [];
    });
    expect(rows.length).toBeGreaterThan(10);
    const [imgpack, registry] = await Promise.all([createImgpack(), startDockerRegistry()]);
    try {
      await imgpack.push([hello, "--tag", `${registry.host}/app:1`]);
      const { digest: DIGEST, mediaType: TYPE, layers } = await heldManifest(registry.url, "app", "1");
      const env = { R: registry.host, TYPE };
      const shell = async (line: string): Promise<string> => {
        const script = `imgpack() { ${SHELL_COMMAND} "$@"; }\n${types}\nset -o pipefail\n${line}`;
        const digest = line.includes("blob ") || line.includes("-sLo layer") ? layers[0]?.digest : DIGEST;
        const { code, stdout, stderr } = await run(
          "bash",
          ["-c", script.replace("delete ", "delete --yes --all-tags ")],
          {
            cwd: imgpack.folder,
            env: { ...env, DIGEST: digest, DOCKER_CONFIG: imgpack.folder },
          },
        );
        expect([line, code, code === 0 ? "" : stderr]).toEqual([line, 0, ""]);
        return stdout;
      };
      for (const { curl, own } of rows) {
        // A manifest can be deleted once; a row that refers to the one above has no line of its own.
        const isRunnable = curl.startsWith("curl ") && !curl.includes("DELETE");
        const told = isRunnable ? await shell(curl) : undefined;
        const found = await shell(own);
        if (own.includes("--raw") || own.includes(" config ")) expect(found).toBe(told);
        if (own.includes(" tags ")) expect(JSON.parse(told ?? "").tags).toEqual(found.trimEnd().split("\n"));
        if (own.includes(" latest ")) expect(found).toContain(`:${told?.trimEnd()}@sha256:`);
        if (own.includes(" digest ")) expect(told).toContain(found.trimEnd().split("@")[1]);
      }
      expect(await imgpack.run(["exists", `${registry.host}/app:stable`])).toMatchObject({ code: 5 });
    } finally {
      await registry.close();
      await imgpack.close();
    }
  });
});

async function put(uploads: string, bytes: Buffer): Promise<void> {
  const opened = await fetch(uploads, { method: "POST" });
  const session = new URL(opened.headers.get("location") ?? "", uploads);
  session.searchParams.set("digest", sha256(bytes));
  expect((await fetch(session, { method: "PUT", body: new Uint8Array(bytes) })).status).toBe(201);
}
