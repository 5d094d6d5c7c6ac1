/** Where the files lie that a page's peer loads by itself, when nobody says otherwise: beside its own code. */

export interface PageAssets {
  /** The program of this folder's workers. */
  workerUrl: string
  /** The engine's binary. */
  engineUrl: string
}

export const assets: PageAssets = {
  workerUrl: new URL('./worker.ts', import.meta.url).href,
  engineUrl: new URL('../sandbox/quickjs.wasm', import.meta.url).href,
}
