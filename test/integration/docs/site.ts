// What the pages of docs/ speak of: registries under their names, and the tools of a machine, in one temporary folder.
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { copy, push, type RunningRegistry, serve } from "../../../src/index.ts";
import { SHELL_COMMAND } from "../../support/command.ts";
import { type NamedHost, type NamedHosts, startNamedHosts } from "../../support/docs/named-hosts.ts";
import { startContainerd } from "../peers/containerd.ts";
import { probeContainerd, probeDockerd, probePodman } from "../peers/describe-with.ts";
import { startDockerd } from "../peers/dockerd.ts";
import { fixture } from "../peers/goldens.ts";
import { createPodman } from "../peers/podman.ts";
import { makePrivateCa } from "../peers/private-ca.ts";
import { sha256 } from "../peers/registry-content.ts";
import { findTool } from "../peers/run.ts";
import { createTempFolder } from "../peers/temp-folder.ts";
import { makeDesk } from "./desk.ts";
import { STAND_INS } from "./stand-ins.ts";

/** Programs whose commands are of another machine or another tool: they run where they are installed. */
const TOOLS = [
  "skopeo",
  "crane",
  "regctl",
  "oras",
  "kubectl",
  "openssl",
  "curl",
  "jq",
  "htpasswd",
  "sha256sum",
  "par2",
];

export interface Site {
  /** PATH begins with it. */
  readonly bin: string;
  readonly env: Readonly<Record<string, string>>;
  /** Programs that pages may name, and why one of them cannot run here. */
  readonly missing: ReadonlyMap<string, string>;
  readonly hosts: NamedHosts;
  /** Folder of the files that pages take for granted. */
  readonly desk: string;
  /** Sets the tag again that pages push to and pull from. */
  restore(): Promise<void>;
  /** Leads the names of the far side to another registry. */
  setInside(url: string): void;
  /** Of the authority that nobody trusts yet: that of private.lan. */
  readonly privateCa: string;
  close(): Promise<void>;
}

/** A registry that has images, one that has none yet, and one with those of public registries. */
const PUBLIC = ["registry-1.docker.io", "index.docker.io", "quay.io", "ghcr.io", "registry.k8s.io"];
const FULL = ["registry.lan", "registry.lan:5000", "gitlab.lan:5050"];
const INSIDE = ["registry.inside:5000", "registry.example:5000"];
const BROKEN = {
  "busy.lan": { status: 429, type: "application/json", body: '{"errors":[{"code":"TOOMANYREQUESTS"}]}' },
  "web.lan": { status: 200, type: "text/html", body: "<!doctype html><title>Welcome</title>" },
};
const PRIVATE = "private.lan:5000";

/** @param needed programs that the pages name: no daemon is started for others */
export async function createSite(needed: ReadonlySet<string>): Promise<Site> {
  const folder = await createTempFolder();
  const path = (name: string): string => join(folder.path, name);
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of closers.reverse()) await each();
    await folder.remove();
  };
  const registry = async (name: string): Promise<RunningRegistry> => {
    const running = await serve({ store: path(name) });
    closers.push(async () => await running.close());
    return running;
  };
  try {
    for (const name of ["bin", "public-ca", "private-ca"]) await mkdir(path(name));
    const [full, hub] = [await registry("full"), await registry("hub")];
    await fill(new URL(full.url).host, new URL(hub.url).host);

    const names = [...FULL, ...INSIDE, ...PUBLIC, ...Object.keys(BROKEN)].map(name => name.replace(/:\d+$/, ""));
    const [trusted, unknown] = [
      await makePrivateCa(path("public-ca"), names),
      await makePrivateCa(path("private-ca"), [PRIVATE.replace(/:\d+$/, "")]),
    ];
    const hosts = new Map<string, NamedHost>();
    const [cert, key] = await Promise.all([trusted.serverCert, trusted.serverKey].map(file => readFile(file, "utf8")));
    const add = (list: readonly string[], url: string): void => {
      for (const name of list) hosts.set(name, { url, cert: cert ?? "", key: key ?? "" });
    };
    add(FULL, full.url);
    add(INSIDE, full.url);
    add(PUBLIC, hub.url);
    for (const [name, answer] of Object.entries(BROKEN)) {
      hosts.set(name, { url: full.url, cert: cert ?? "", key: key ?? "", answer });
    }
    hosts.set(PRIVATE, {
      url: full.url,
      cert: await readFile(unknown.serverCert, "utf8"),
      key: await readFile(unknown.serverKey, "utf8"),
    });
    const named = await startNamedHosts(hosts);
    closers.push(async () => await named.close());
    const env = {
      PATH: `${path("bin")}:${process.env["PATH"]}`,
      SSL_CERT_FILE: trusted.ca,
      CURL_CA_BUNDLE: trusted.ca,
      ...proxied(named.url),
    };

    const engines: Record<string, string> = {};
    const missing = new Map(TOOLS.filter(tool => findTool(tool) === undefined).map(tool => [tool, "not installed"]));
    const shim = async (name: string, script: string): Promise<void> => {
      await writeFile(path(`bin/${name}`), `#!/bin/sh\n${script}\n`);
      await chmod(path(`bin/${name}`), 0o755);
    };
    await shim("imgpack", `exec ${SHELL_COMMAND} "$@"`);
    for (const [name, script] of Object.entries(STAND_INS)) await shim(name, script);
    const daemon = async (
      name: string,
      probe: () => Promise<{ readonly missing: string | undefined }>,
      start: () => Promise<{ readonly script: string; close(): Promise<void> }>,
    ): Promise<void> => {
      if (!needed.has(name)) return;
      const { missing: why } = await probe();
      if (why !== undefined) {
        missing.set(name, why);
        return;
      }
      const { script, close: stop } = await start();
      closers.push(stop);
      await shim(name, script);
    };
    await daemon("docker", probeDockerd, async () => {
      const { socket, docker, close: stop } = await startDockerd({ env });
      await docker(["load", "--input", fixture("docker20-hello.tar")]);
      for (const name of ["app:latest", "app:1.4", "web:2"]) await docker(["tag", "hello:latest", name]);
      engines["DOCKER_HOST"] = `unix://${socket}`;
      return { script: `exec ${findTool("docker")} "$@"`, close: stop };
    });
    await daemon("podman", probePodman, async () => {
      const { words, podman, close: stop } = await createPodman();
      await podman(["load", "--input", fixture("docker20-hello.tar")]);
      await podman(["tag", "localhost/hello:latest", "localhost/app:1.4"]);
      return { script: `exec ${wordsOf(words)} "$@"`, close: stop };
    });
    await daemon("ctr", probeContainerd, async () => {
      const { words, address, namespace, close: stop } = await startContainerd();
      Object.assign(engines, {
        CONTAINERD_ADDRESS: address,
        CONTAINERD_NAMESPACE: namespace,
        CONTAINERD_SNAPSHOTTER: "native",
      });
      return { script: `CONTAINERD_SNAPSHOTTER=native exec ${wordsOf(words)} "$@"`, close: stop };
    });
    const desk = await makeDesk(path("desk"), { ...env, IMGPACK_CACHE_DIR: path("cache") });
    return {
      bin: path("bin"),
      env: { ...env, ...engines },
      missing,
      hosts: named,
      desk,
      async restore() {
        const { host } = new URL(full.url);
        await copy(`${host}/multi:1.0`, `${host}/team/app:1.4`);
      },
      setInside: url => add(INSIDE, url),
      privateCa: unknown.ca,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** By their paths: the scripts themselves have the names of the programs. */
const wordsOf = (words: readonly string[]): string => words.map(word => findTool(word) ?? word).join(" ");

function proxied(url: string): Readonly<Record<string, string>> {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
  const own = "127.0.0.1,localhost";
  return { ...Object.fromEntries(names.map(name => [name, url])), NO_PROXY: own, no_proxy: own };
}

async function fill(full: string, hub: string): Promise<void> {
  const archives = ["docker20-hello.tar", "docker20-shared.tar", "multi-platform-oci.tar"].map(fixture);
  await push(archives, { registry: full });
  for (const name of [
    "team/app:1.3",
    "team/app:1.4",
    "os:1",
    "team/web:2.0",
    "team/old:1",
    "app:1.4.1",
    "app:1.4.2",
    "mirror/team/web:2.0",
  ]) {
    await copy(`${full}/multi:1.0`, `${full}/${name}`);
  }
  await copy(`${full}/base:1.0`, `${full}/team/old:2`);
  for (const name of [
    "library/alpine:3",
    "library/nginx:1.27",
    "library/busybox:1.36",
    "team/tool:2",
    "team/app:2",
    "a:1",
    "b:2",
  ]) {
    await copy(`${full}/multi:1.0`, `${hub}/${name}`);
  }
  await putChart(full, "charts/web", "1.0.0");
}

/** As `helm push` does: a config and a layer with media types of their own. */
async function putChart(host: string, repository: string, tag: string): Promise<void> {
  const base = `http://${host}/v2/${repository}`;
  const put = async (text: string, mediaType: string): Promise<object> => {
    const bytes = Buffer.from(text);
    const digest = sha256(bytes);
    const started = await fetch(`${base}/blobs/uploads/`, { method: "POST" });
    const url = new URL(started.headers.get("location") ?? "", base);
    url.searchParams.set("digest", digest);
    await fetch(url, { method: "PUT", body: bytes });
    return { mediaType, digest, size: bytes.length };
  };
  const type = "application/vnd.cncf.helm";
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: await put(JSON.stringify({ name: "web", version: tag, apiVersion: "v2" }), `${type}.config.v1+json`),
    layers: [await put("a chart", `${type}.chart.content.v1.tar+gzip`)],
  };
  const headers = { "content-type": manifest.mediaType };
  await fetch(`${base}/manifests/${tag}`, { method: "PUT", headers, body: JSON.stringify(manifest) });
}
