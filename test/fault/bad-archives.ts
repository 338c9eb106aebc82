import { gzipSync } from "node:zlib";
import { configOf, dockerArchive, seededBytes } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";

const LAYER = tarArchive([tarEntry({ name: "hello", body: "hello\n" })]);
const GOOD = Buffer.from(dockerArchive({ tags: ["app:1"] }));
const MANIFEST = JSON.stringify([{ Config: "config.json", RepoTags: ["app:1"], Layers: ["0/layer.tar"] }]);

export interface BadArchive {
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly exitCode: number;
  /** The file's path stands as PATH. */
  readonly message: string;
  readonly hint?: string;
}

function link(name: string, linkName: string): Uint8Array {
  return tarEntry({ name, type: "2", linkName });
}

export const BAD_ARCHIVES: readonly BadArchive[] = [
  {
    what: "no tar",
    bytes: seededBytes("noise", 5000),
    exitCode: 3,
    message:
      'Cannot read archive "PATH": it looks like unknown data (76 e9 4a 0d 20 0f 7f 09) of 4.9 KiB, expected an image archive',
    hint: 'Image archives come from "docker save", "podman save", "skopeo copy" or "imgpack pull".',
  },
  {
    what: "text",
    bytes: Buffer.from("not an archive\n"),
    exitCode: 3,
    message: 'Cannot read archive "PATH": it looks like text of 15 bytes, expected an image archive',
  },
  {
    what: "nothing",
    bytes: Buffer.alloc(0),
    exitCode: 3,
    message: 'Cannot read archive "PATH": it is an empty file, expected an image archive',
    hint: "The copy may be incomplete: compare its size with the sender's, then copy it again.",
  },
  {
    what: "a tar that is cut inside a body",
    bytes: GOOD.subarray(0, 700),
    exitCode: 3,
    message: 'Cannot read entry "0/layer.tar" at byte 0 from archive "PATH": file ends at byte 700, expected 2560',
    hint: "The copy is incomplete: compare its size with the sender's, then copy it again.",
  },
  {
    what: "a tar that is cut inside a header",
    bytes: GOOD.subarray(0, GOOD.length - 1024 - 1500),
    exitCode: 3,
    message: 'Cannot read entry "config.json" at byte 2560 from archive "PATH": file ends at byte 3108, expected 3584',
    hint: "The copy is incomplete: compare its size with the sender's, then copy it again.",
  },
  {
    what: "a tar that is cut between entries",
    bytes: GOOD.subarray(0, 512 + LAYER.length),
    exitCode: 3,
    message: 'Cannot read archive "PATH": no manifest.json among 1 entry, expected manifest.json or an OCI layout',
    hint: "A cut archive looks like this, and so does a tar of other files: check how it was made.",
  },
  {
    what: "gzip that is cut",
    bytes: gzipSync(GOOD).subarray(0, 200),
    exitCode: 3,
    message: 'Cannot read archive "PATH": gzip data ends at byte 200 in the middle of a member, expected its end',
    hint: "The copy is incomplete: compare its size with the sender's, then copy it again.",
  },
  {
    what: "gzip with other bytes behind it",
    bytes: Buffer.concat([gzipSync(GOOD), Buffer.from("tail")]),
    exitCode: 3,
    message: 'Cannot read archive "PATH": damaged gzip data before byte 349, expected gzip members only',
  },
  {
    what: "a tar without manifest.json",
    bytes: tarArchive([tarEntry({ name: "etc/passwd", body: "root" })]),
    exitCode: 3,
    message: 'Cannot read archive "PATH": no manifest.json among 1 entry, expected manifest.json or an OCI layout',
  },
  {
    what: "two manifest.json",
    bytes: dockerArchive({ tags: ["app:1"], extra: [tarEntry({ name: "manifest.json", body: "[]" })] }),
    exitCode: 3,
    message:
      'Cannot read entry "manifest.json" at byte 4608 from archive "PATH": "manifest.json" is the name of the entry at byte 2560 too, expected each name once',
    hint: "Other tools read such an archive in different ways, so none of them can be trusted: save the image again with a current tool.",
  },
  {
    what: "a manifest.json that is not JSON",
    bytes: dockerArchive({ manifest: "{[" }),
    exitCode: 3,
    message: 'Cannot read manifest.json from archive "PATH": found a bad byte at byte 1, expected a key',
  },
  {
    what: "a manifest.json of another shape",
    bytes: dockerArchive({ manifest: '{"a":1}' }),
    exitCode: 3,
    message: 'Cannot read manifest.json from archive "PATH": found an object at the top, expected an array',
  },
  {
    what: "an empty manifest.json",
    bytes: dockerArchive({ manifest: "[]" }),
    exitCode: 3,
    message: 'Cannot read archive "PATH": manifest.json is empty, expected at least one image',
  },
  {
    what: "a missing layer",
    bytes: dockerArchive({ tags: ["app:1"], without: [0] }),
    exitCode: 3,
    message: 'Cannot read layer "0/layer.tar" from archive "PATH": no such entry, expected a file',
    hint: "The archive is incomplete: save the image again, or compare the file's size with the sender's.",
  },
  {
    what: "a missing config",
    bytes: tarArchive([
      tarEntry({ name: "0/layer.tar", body: LAYER }),
      tarEntry({ name: "manifest.json", body: MANIFEST }),
    ]),
    exitCode: 3,
    message: 'Cannot read "config.json" from archive "PATH": no such entry, expected a file',
    hint: "The archive is incomplete or was repacked: save the image again.",
  },
  {
    what: "a layer that is not what its config says",
    bytes: dockerArchive({ tags: ["app:1"], config: configOf([Buffer.from("other")]) }),
    exitCode: 6,
    message: `Cannot accept layer from archive: diff_id is ${sha256(LAYER)}, expected ${sha256(Buffer.from("other"))}`,
    hint: "The archive was damaged or altered after it was saved: compare its checksum with the sender's and copy it again.",
  },
  {
    what: "fewer layers than its config says",
    bytes: dockerArchive({ tags: ["app:1"], config: configOf([LAYER, LAYER]) }),
    exitCode: 3,
    message:
      'Cannot read image docker.io/library/app:1 from archive "PATH": 1 layers in manifest.json, expected 2 as in its config',
  },
  {
    what: "a config that is not JSON",
    bytes: dockerArchive({ tags: ["app:1"], config: "<html>" }),
    exitCode: 3,
    message:
      'Cannot read image config from "config.json" in archive "PATH": found a bad byte at byte 0, expected a value',
  },
  {
    what: "a layer that is a symbolic link to itself",
    bytes: dockerArchive({ tags: ["app:1"], without: [0], extra: [link("0/layer.tar", "layer.tar")] }),
    exitCode: 3,
    message: 'Cannot read entry "0/layer.tar" from archive "PATH": its links lead in a circle, expected a file',
    hint: "The archive is incomplete or was put together by hand: save the image again.",
  },
  {
    what: "a layer that is a symbolic link in a circle",
    bytes: dockerArchive({
      tags: ["app:1"],
      without: [0],
      extra: [link("0/layer.tar", "../1/layer.tar"), link("1/layer.tar", "../0/layer.tar")],
    }),
    exitCode: 3,
    message: 'Cannot read entry "0/layer.tar" from archive "PATH": its links lead in a circle, expected a file',
    hint: "The archive is incomplete or was put together by hand: save the image again.",
  },
  {
    what: "a layer that is a symbolic link out of the archive",
    bytes: dockerArchive({ tags: ["app:1"], without: [0], extra: [link("0/layer.tar", "../../../etc/passwd")] }),
    exitCode: 3,
    message:
      'Cannot read entry "0/layer.tar" from archive "PATH": a link to "../../../etc/passwd", expected one that stays inside',
    hint: "The archive is incomplete or was put together by hand: save the image again.",
  },
  {
    what: "a layer that is a symbolic link to an absolute path",
    bytes: dockerArchive({ tags: ["app:1"], without: [0], extra: [link("0/layer.tar", "/etc/passwd")] }),
    exitCode: 3,
    message: 'Cannot read entry "0/layer.tar" from archive "PATH": a link to "/etc/passwd", expected a relative one',
    hint: "The archive is incomplete or was put together by hand: save the image again.",
  },
  {
    what: "an entry whose name steers a terminal",
    bytes: dockerArchive({
      manifest: JSON.stringify([{ Config: "config.json", RepoTags: ["app:1"], Layers: ["\u001b[2J\u202elayer"] }]),
    }),
    exitCode: 3,
    message: 'Cannot read layer "\\u{1b}[2J\\u{202e}layer" from archive "PATH": no such entry, expected a file',
  },
  {
    what: "a tag that steers a terminal",
    bytes: dockerArchive({ tags: ["app:\u001b]0;title\u0007"] }),
    exitCode: 2,
    message: `Cannot push image ${sha256(Buffer.from(configOf([LAYER])))} from archive "PATH": its name "app:\\u{1b}]0;title\\u{7}" is none that a registry takes, expected a name with a tag`,
    hint: "Name it with --tag REGISTRY/REPOSITORY:TAG.",
  },
  {
    what: "no tag",
    bytes: dockerArchive(),
    exitCode: 2,
    message: `Cannot push image ${sha256(Buffer.from(configOf([LAYER])))} from archive "PATH": it has no name, expected one`,
    hint: "Name it with --tag REGISTRY/REPOSITORY:TAG.",
  },
];
