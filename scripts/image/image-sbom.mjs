// @ts-check
/** @typedef {import("../package/stage.mjs").SpdxDocument} SpdxDocument */

/**
 * The bill of materials of an image: that of its executable, and the packages that its other files are of.
 *
 * @param {SpdxDocument} program of the executable
 * @param {string} version of imgpack
 * @param {import("./platforms.mjs").Platform} platform
 * @param {readonly import("./debian-packages.mjs").DebianPackage[]} packages
 * @returns {SpdxDocument}
 */
export function imageSbom(program, version, { name, architecture }, packages) {
  const id = `SPDXRef-Image-${architecture}`;
  const facts = { downloadLocation: "NOASSERTION", filesAnalyzed: false };
  const image = { name: "imgpack", SPDXID: id, versionInfo: version, ...facts, primaryPackagePurpose: "CONTAINER" };
  const debian = packages.map(found => ({
    ...{ name: found.name, SPDXID: `SPDXRef-Debian-${found.name}`, versionInfo: found.version, ...facts },
    licenseDeclared: found.license,
    comment: "All its licences are in the image, in /usr/share/doc and /usr/share/common-licenses",
    checksums: [{ algorithm: "SHA256", checksumValue: found.sha256 }],
    externalRefs: [
      {
        referenceCategory: "PACKAGE-MANAGER",
        referenceType: "purl",
        referenceLocator: `pkg:deb/debian/${found.name}@${encodeURIComponent(found.version)}?arch=${found.architecture}`,
      },
    ],
  }));
  const parts = [...program.documentDescribes, ...debian.map(({ SPDXID }) => SPDXID)];
  return {
    ...program,
    name: `imgpack ${version} ${name}`,
    documentNamespace: `${program.documentNamespace}/image-${architecture}`,
    documentDescribes: [id],
    packages: [image, ...program.packages, ...debian],
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relatedSpdxElement: id, relationshipType: "DESCRIBES" },
      ...program.relationships.filter(({ relationshipType }) => relationshipType !== "DESCRIBES"),
      ...parts.map(part => ({ spdxElementId: id, relatedSpdxElement: part, relationshipType: "CONTAINS" })),
    ],
  };
}

/**
 * The licences of all that is in the images, as one expression.
 *
 * @param {readonly SpdxDocument[]} documents
 */
export function licenceExpression(documents) {
  const declared = documents.flatMap(({ packages }) => packages.map(({ licenseDeclared }) => licenseDeclared));
  const parts = declared.flatMap(text =>
    typeof text === "string" && text !== "NOASSERTION" ? text.split(" AND ") : [],
  );
  return [...new Set(parts)]
    .map(text => (text.includes(" OR ") ? `(${text})` : text))
    .sort()
    .join(" AND ");
}
