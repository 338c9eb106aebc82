/** Builds dist/ if it is missing or older than what it is made of. */
export declare function buildWhenStale(): Promise<void>;
