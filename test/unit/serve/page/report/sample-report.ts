import { createHash } from "node:crypto";
import type { Digest } from "../../../../../src/oci/digest.ts";
import type { TransferImage, TransferReport } from "../../../../../src/serve/page/report/transfer-report.ts";

export function digestOf(text: string): Digest {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

const MIB = 1024 * 1024;
const STATES = ["new", "changed", "unchanged", "unchanged"] as const;

/** An image for two platforms; each fourth one is new, each fourth one changed. */
function sampleImage(index: number): TransferImage {
  const name = `registry${index % 3}.example/team/app-${index}:1.${index}`;
  const state = STATES[index % 4] ?? "unchanged";
  return {
    name,
    digest: digestOf(name),
    state,
    ...(state === "changed" ? { was: [digestOf(`old ${name}`)] } : {}),
    platforms: ["linux/amd64", "linux/arm64/v8"].map(platform => ({
      platform,
      digest: digestOf(`${name} ${platform}`),
      bytes: 20 * MIB,
      created: "2026-11-01T00:00:00Z",
      licenses: "Apache-2.0",
    })),
    absent: [],
    bytes: 38 * MIB,
    newBytes: state === "unchanged" ? 0 : 10 * MIB,
    referrers: { signatures: index % 5 === 0 ? "unknown" : index % 3, sboms: 1, attestations: 0 },
  };
}

/** A delta in three volumes, compared with its base. */
export function sampleReport(count = 8, changes: Partial<TransferReport> = {}): TransferReport {
  const gone: TransferImage = {
    name: "registry0.example/team/old:0.9",
    state: "gone",
    was: [digestOf("old")],
    platforms: [],
    absent: [],
    referrers: { signatures: "unknown", sboms: "unknown", attestations: "unknown" },
  };
  const images = Array.from({ length: count }, (_, index) => sampleImage(index));
  const changed = images.filter(({ state }) => state === "changed").length;
  const fresh = images.filter(({ state }) => state === "new").length;
  const added = images.reduce((sum, { newBytes = 0 }) => sum + newBytes, 0);
  const all = count * 38 * MIB;
  return {
    kind: "transfer-report",
    id: digestOf("bundle"),
    bases: [{ id: digestOf("base"), source: "site.lock" }],
    compared: true,
    counts: { images: count, new: fresh, changed, unchanged: count - fresh - changed, gone: 1 },
    bytes: { carried: added + count * 4096, all, new: added, shared: all - added },
    files: [1, 2, 3].map(volume => ({
      name: `site.v0${volume}.tar`,
      volume,
      size: 1_873_628_557,
      sha256: digestOf(`volume ${volume}`).slice("sha256:".length),
    })),
    volumes: { of: 3, missing: [] },
    left: [
      { kind: "image", what: "registry.example/team/legacy:0.3", why: "not found" },
      { kind: "platform", what: "registry0.example/team/app-0:1.0, platform windows/amd64", why: "not asked for" },
      { kind: "base", what: "12 layers", why: "the base has them", bytes: 200 * MIB },
    ],
    images: [...images, gone],
    ...changes,
  };
}
