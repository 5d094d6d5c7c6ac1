/** Where the files lie that a page's peer loads by itself, when nobody says otherwise: beside its own code. */

export interface PageAssets {
  /** The program of this folder's workers. */
  workerUrl: string
  /** The engine's binary. */
  engineUrl: string
  /** The module that runs WebAssembly; or what gives its URL when the first of that comes, after it has checked the bytes. */
  tierUrl: string | (() => Promise<string>)
}

export const assets: PageAssets = {
  workerUrl: new URL('./worker.ts', import.meta.url).href,
  engineUrl: new URL('../sandbox/quickjs.wasm', import.meta.url).href,
  tierUrl: new URL('../sandbox/program/program.ts', import.meta.url).href,
}
