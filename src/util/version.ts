declare const IMGPACK_VERSION: string | undefined;

/** Version of the package, defined by the build. */
export const VERSION: string = typeof IMGPACK_VERSION === "string" ? IMGPACK_VERSION : "0.0.0-source";
