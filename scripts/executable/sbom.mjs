// @ts-check
import { RUNTIME_PARTS } from "./runtime-parts.mjs";
import { pinnedRuntime } from "./runtimes.mjs";

/** @typedef {import("../package/stage.mjs").SpdxDocument} SpdxDocument */

/**
 * The bill of materials of the package, and the runtime with its parts.
 *
 * @param {SpdxDocument} base of the package, as npm makes it
 * @param {import("./targets.mjs").Target} target
 * @returns {Promise<SpdxDocument>}
 */
export async function executableSbom(base, { file, runtime }) {
  const { version, integrity, license } = await pinnedRuntime(runtime);
  const id = `SPDXRef-Runtime-${runtime.replace(/[^\w.-]/g, "-")}-${version}`;
  const facts = { downloadLocation: "NOASSERTION", filesAnalyzed: false };
  const referenceLocator = `pkg:npm/${runtime.replace("@", "%40")}@${version}`;
  const bun = {
    ...{ name: runtime, SPDXID: id, versionInfo: version, ...facts, licenseDeclared: license },
    checksums: [{ algorithm: "SHA512", checksumValue: Buffer.from(integrity.slice(7), "base64").toString("hex") }],
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator }],
  };
  const parts = RUNTIME_PARTS.map(([name, licenseDeclared, source]) => ({
    ...{ name, SPDXID: `SPDXRef-Part-${name.replace(/[^\w.-]+/g, "-")}`, ...facts, downloadLocation: source },
    licenseDeclared,
  }));
  const [program = ""] = base.documentDescribes;
  return {
    ...base,
    name: file,
    documentNamespace: `${base.documentNamespace}/${file}`,
    packages: [...base.packages, bun, ...parts],
    relationships: [
      ...base.relationships,
      { spdxElementId: program, relatedSpdxElement: id, relationshipType: "CONTAINS" },
      ...parts.map(({ SPDXID }) => ({
        spdxElementId: id,
        relatedSpdxElement: SPDXID,
        relationshipType: "STATIC_LINK",
      })),
    ],
  };
}
