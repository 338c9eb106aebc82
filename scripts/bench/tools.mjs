// @ts-check
// The programs that are compared: where they are and how each is told to push and pull.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { remove } from "fs-extra/esm";
import { findTool } from "../fixtures/processes.mjs";

/** @typedef {{ digest: string }} Blob */

/**
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} version
 * @property {(archive: string, reference: string) => string[]} push the whole command; paths are those of this machine
 * @property {(reference: string, output: string, blobs: Blob[]) => string[]} pull
 * @property {() => Promise<void>} forget removes what the tool remembers of registries, where that is not in the environment
 */

/** @typedef {(path: string) => string} Seen a path as the tool sees it */

/** @type {Record<string, { version: string, push?: (archive: string, reference: string, seen: Seen, folder: string) => string[], pull: (reference: string, output: string, seen: Seen, folder: string, blobs: Blob[]) => string[] }>} */
const peers = {
  skopeo: {
    version: "--version",
    push: (archive, reference, seen, folder) => [
      ...["--insecure-policy", `--tmpdir=${seen(folder)}/tmp`, "copy", "--dest-tls-verify=false"],
      ...[`docker-archive:${seen(archive)}`, `docker://${reference}`],
    ],
    pull: (reference, output, seen, folder) => [
      ...["--insecure-policy", `--tmpdir=${seen(folder)}/tmp`, "copy", "--src-tls-verify=false"],
      ...[`docker://${reference}`, `docker-archive:${seen(output)}`],
    ],
  },
  crane: {
    version: "version",
    push: (archive, reference, seen) => ["push", "--insecure", seen(archive), reference],
    pull: (reference, output, seen) => ["pull", "--insecure", reference, seen(output)],
  },
  oras: {
    version: "version",
    pull: (reference, output, seen) => [
      ...["copy", "--no-tty", "--from-plain-http", "--to-oci-layout"],
      ...[reference, `${seen(output)}:latest`],
    ],
  },
  curl: {
    version: "--version",
    pull: (reference, output, seen, _folder, blobs) => {
      const [, host = "", name = ""] = /^([^/]+)\/(.+):[^:]+$/.exec(reference) ?? [];
      return [
        ...["-Z", "--fail", "--no-progress-meter", "--create-dirs"],
        ...blobs.flatMap(({ digest }) => [
          `http://${host}/v2/${name}/blobs/${digest}`,
          "-o",
          `${seen(output)}/${digest.slice("sha256:".length)}`,
        ]),
      ];
    },
  },
};

/** imgpack at its lowest level: what the choice of the level costs and brings. */
export const fastest = "imgpack gzip:1";

/** skopeo keeps it there when it runs as root, and below XDG_DATA_HOME otherwise. */
const skopeoCache = ["boltdb", "sqlite"].map(kind => `/var/lib/containers/cache/blob-info-cache-v1.${kind}`);

/**
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {string} bin the built imgpack
 * @param {{ prefix: string[], share?: { host: string, peer: string } | undefined }} where newer peers behind a prefix win over those on PATH
 * @returns {Promise<{ tools: Map<string, Tool>, missing: string[] }>}
 */
export async function findTools(workspace, bin, where) {
  if (!existsSync(bin))
    throw new Error(`Cannot run imgpack: no ${relative("", bin)}, expected the output of "npm run build"`);
  /** @type {Map<string, Tool>} */
  const tools = new Map();
  const missing = [];
  /** @type {Tool} */
  const imgpack = {
    name: "imgpack",
    version: (await workspace.run([process.execPath, bin, "--version"])).trim(),
    push: (archive, reference) => [process.execPath, bin, "push", archive, "--tag", reference],
    pull: (reference, output) => [process.execPath, bin, "pull", reference, "-o", output],
    forget: async () => {},
  };
  tools.set(imgpack.name, imgpack);
  tools.set(fastest, {
    ...imgpack,
    name: fastest,
    push: (archive, reference) => [...imgpack.push(archive, reference), "--compression", "gzip:1"],
  });
  for (const [name, peer] of Object.entries(peers)) {
    const found = await findPeer(workspace, name, peer.version, where.prefix);
    if (found === undefined) {
      missing.push(name);
      continue;
    }
    const { command, prefix, version } = found;
    const { share } = where;
    /** @type {Seen} */
    const seen = path =>
      prefix.length > 0 && share !== undefined && path.startsWith(share.host)
        ? share.peer + path.slice(share.host.length)
        : path;
    tools.set(name, {
      name,
      version,
      push: (archive, reference) => {
        if (peer.push === undefined) throw new Error(`Cannot push with ${name}: it reads no docker archives`);
        return [...command, ...peer.push(archive, reference, seen, workspace.folder)];
      },
      pull: (reference, output, blobs) => [...command, ...peer.pull(reference, output, seen, workspace.folder, blobs)],
      forget: async () => {
        if (name !== "skopeo") return;
        if (process.getuid?.() === 0) await workspace.run([...prefix, "rm", "-f", ...skopeoCache]);
        else await remove(join(workspace.folder, "data"));
      },
    });
  }
  return { tools, missing };
}

/**
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {string} name
 * @param {string} versionWord
 * @param {string[]} prefix
 */
async function findPeer(workspace, name, versionWord, prefix) {
  const local = findTool(name);
  const places = [
    ...(prefix.length > 0 ? [{ command: [...prefix, name], prefix }] : []),
    ...(local === undefined ? [] : [{ command: [local], prefix: [] }]),
  ];
  for (const place of places) {
    try {
      const text = await workspace.run([...place.command, versionWord]);
      const version = /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? (await packagedVersion(workspace, name, place.prefix));
      return { ...place, version };
    } catch {
      // Not behind the prefix: the next place may have it.
    }
  }
  return undefined;
}

/**
 * Debian's crane does not know its own version.
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {string} name
 * @param {string[]} prefix
 */
async function packagedVersion(workspace, name, prefix) {
  try {
    const [owner = ""] = (await workspace.run([...prefix, "dpkg-query", "-S", `/usr/bin/${name}`])).split(":");
    return await workspace.run([...prefix, "dpkg-query", "-W", "-f", "$" + "{Version}", owner]);
  } catch {
    return "of unknown version";
  }
}
