/** Installs what the lock of a folder of scripts/ names, if it is not there yet. */
export declare function ownPackages(name: string): Promise<string>;
