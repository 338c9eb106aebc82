/** The notes of one version. @throws Error if the version has no section, or an empty one. */
export declare function sectionOf(changelog: string, version: string): string;
