/** The functions that one mesh has been asked for: each source is bundled and published once. */
import { isCidText } from '../protocol/cid.ts'
import type { Limits } from '../protocol/outcome.ts'
import type { Manifest } from '../protocol/records.ts'
import type { Backend } from './backend.ts'
import { type CallDefaults, type CallLimits, mergeLimits } from './call-options.ts'
import type { Fn } from './fn.ts'
import { functionBundleOf } from './function-bundle.ts'
import type { SdkHost } from './host.ts'

export interface Published {
  cid: string
  defaults: CallDefaults
  manifest(): Promise<Manifest>
  /** All limits of an execution: those given, else the function's own. */
  limitsWith(given: CallLimits): Promise<Limits>
  readStack(text: string): string
}

export class PublishedFunctions {
  readonly #host: Pick<SdkHost, 'bundle'>
  readonly #backend: Backend
  readonly #bySource = new Map<string, Published | Promise<Published>>()

  constructor(host: Pick<SdkHost, 'bundle'>, backend: Backend) {
    this.#host = host
    this.#backend = backend
  }

  /** At once, if it was had before. A source that failed is read again the next time. */
  get({ source }: Fn<never, unknown>): Published | Promise<Published> {
    const known = this.#bySource.get(source)
    if (known) return known
    const found = isCidText(source) ? this.#byCid(source) : this.#publish(source)
    this.#bySource.set(source, found)
    if (found instanceof Promise) {
      found.then(
        (published) => this.#bySource.set(source, published),
        () => this.#bySource.delete(source),
      )
    }
    return found
  }

  #byCid(cid: string): Published {
    const manifest = () => this.#backend.manifest(cid)
    const limitsWith = async (given: CallLimits) => mergeLimits(given, (await manifest()).limits)
    return { cid, defaults: {}, manifest, limitsWith, readStack: (text) => text }
  }

  async #publish(source: string): Promise<Published> {
    const { bundle, readStack } = await this.#host.bundle(source.includes('://') ? new URL(source) : source)
    const { cid, manifest } = await this.#backend.publish(functionBundleOf(bundle))
    return {
      cid,
      defaults: { verify: bundle.verify, timeoutMs: bundle.limits?.timeoutMs, grants: bundle.env },
      manifest: async () => manifest,
      limitsWith: async (given) => mergeLimits(given, manifest.limits),
      readStack,
    }
  }
}
