/** What `run` and `map` share: which function, by whom, under which limits. */
import { defaultLevel, ensureLevel } from '../../peer/calls.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Limits } from '../../protocol/outcome.ts'
import type { Backend } from '../../sdk/backend.ts'
import { backendOptions } from '../../sdk/call-options.ts'
import { fn } from '../../sdk/fn.ts'
import { PublishedFunctions } from '../../sdk/published.ts'
import { type Flags, readConfig } from '../config.ts'
import { sdkHost } from '../sdk-host.ts'
import { openBackend } from './backends.ts'
import { note, whileWaiting } from './terminal.ts'
import { tellOnceOfReaders } from './told.ts'

export interface CallFlags extends Flags {
  local?: boolean
  remote?: boolean
  public?: boolean
  json?: boolean
}

export interface Calling {
  backend: Backend
  /** As the person wrote it, without the export. */
  source: string
  /** The part of each call that is the same for all. */
  request: {
    function: string
    export: string
    verify: string
    timeoutMs: number
    /** Those of the manifest, with what the flags changed. */
    limits: Limits
    remote: boolean
    public: boolean
  }
  /** Text of the function with the frames of its stacks led back to the sources. */
  readStack(text: string): string
}

const bundleAloud: typeof sdkHost.bundle = async (source) => {
  const built = await whileWaiting(`for ${source} to be bundled`, sdkHost.bundle(source))
  for (const warning of (built.bundle as { warnings?: string[] }).warnings ?? []) note(`warning: ${warning}`)
  return built
}

const ensureCompatible = ({ local, remote }: CallFlags) => {
  if (local && remote) throw new MeshError('E_USAGE', '--local and --remote exclude each other; give one of them')
}

/**
 * Opens what will carry out the calls, publishes the function, and hands all of it to `use`. Throws MeshError E_USAGE,
 * E_CONFIG, and what bundling and joining throw.
 */
export const withCalling = async <T>(
  text: string,
  flags: CallFlags,
  signal: AbortSignal,
  use: (calling: Calling) => Promise<T>,
): Promise<T> => {
  ensureCompatible(flags)
  const config = readConfig(flags)
  const { source, export: exportName } = fn(text)
  const wanted = { verify: config.verify, timeoutMs: config.timeoutMs, remote: flags.remote }
  if (wanted.verify !== undefined) ensureLevel(wanted.verify)
  const opened = await openBackend(config, flags.local ?? false, signal)
  const { backend } = opened
  try {
    await tellOnceOfReaders(config.data, opened)
    const published = await new PublishedFunctions({ bundle: bundleAloud }, backend).get(fn(text))
    const limits = await published.limitsWith({ ...(config.fuel !== undefined && { fuel: config.fuel }) })
    const options = backendOptions(
      {
        ...(wanted.verify && { verify: wanted.verify }),
        ...(wanted.timeoutMs && { timeoutMs: wanted.timeoutMs }),
        remote: wanted.remote ?? false,
        public: flags.public ?? false,
      },
      published.defaults,
    )
    const verify = options.verify ?? defaultLevel((await published.manifest()).effects)
    const request = { ...options, verify, function: published.cid, export: exportName, limits: limits as Limits }
    return await use({ backend, source, request, readStack: published.readStack })
  } finally {
    await backend.close()
  }
}
