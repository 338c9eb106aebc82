declare const IMGPACK_VERSION: string | undefined;

/** The package's version; the build fills it in. */
export const VERSION: string = typeof IMGPACK_VERSION === "string" ? IMGPACK_VERSION : "0.0.0-source";
