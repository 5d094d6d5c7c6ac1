/** What `run` and `map` share: which function, by whom, under which limits. */
import { defaultLevel, ensureLevel } from '../../peer/calls.ts'
import { MeshError } from '../../protocol/errors.ts'
import type { Grants } from '../../protocol/grants.ts'
import { TIMEOUT_MS_MAX } from '../../protocol/limits.ts'
import type { Limits } from '../../protocol/outcome.ts'
import type { Backend } from '../../sdk/backend.ts'
import { backendOptions } from '../../sdk/call-options.ts'
import { fn } from '../../sdk/fn.ts'
import { PublishedFunctions } from '../../sdk/published.ts'
import { type Config, type Flags, readConfig } from '../config.ts'
import { sdkHost } from '../sdk-host.ts'
import { type OpenedBackend, openBackend } from './backends.ts'
import { note, whileWaiting } from './terminal.ts'
import { tellOnceOfReaders } from './told.ts'

export interface CallFlags extends Flags {
  local?: boolean
  remote?: boolean
  public?: boolean
  json?: boolean
  /** The agent keeps it, and goes on with it. */
  durable?: boolean
}

export interface Calling {
  backend: Backend
  /** Of what opened it. */
  findsLater: boolean
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
    grants: Grants | undefined
  }
  /** Text of the function with the frames of its stacks led back to the sources. */
  readStack(text: string): string
}

export const bundleAloud: typeof sdkHost.bundle = async (source) => {
  const built = await whileWaiting(`for ${source} to be bundled`, sdkHost.bundle(source))
  for (const warning of built.warnings) note(`warning: ${warning}`)
  return built
}

/** Bundles and publishes the function that `text` names. Throws what bundling throws. */
export type Publish = (text: string, bundle?: typeof sdkHost.bundle) => Promise<Calling>

const ensureCompatible = ({ local, remote }: CallFlags) => {
  if (local && remote) throw new MeshError('E_USAGE', '--local and --remote exclude each other; give one of them')
}

/** What is given counts before what the function says; a durable invocation has a day. */
const timeoutOf = ({ timeoutMs }: Config, { durable }: CallFlags, defaults: { timeoutMs?: number | undefined }) => {
  if (timeoutMs) return { timeoutMs }
  return durable && defaults.timeoutMs === undefined ? { timeoutMs: TIMEOUT_MS_MAX } : {}
}

const createPublish =
  ({ backend, findsLater }: OpenedBackend, config: Config, flags: CallFlags): Publish =>
  async (text, bundle = bundleAloud) => {
    const { source, export: exportName } = fn(text)
    const published = await new PublishedFunctions({ bundle }, backend).get(fn(text))
    const limits = await published.limitsWith({ ...(config.fuel !== undefined && { fuel: config.fuel }) })
    const options = backendOptions(
      {
        ...(config.verify && { verify: config.verify }),
        ...timeoutOf(config, flags, published.defaults),
        remote: flags.remote ?? false,
        public: flags.public ?? false,
      },
      published.defaults,
    )
    const verify = options.verify ?? defaultLevel((await published.manifest()).effects)
    const request = { ...options, verify, function: published.cid, export: exportName, limits: limits as Limits }
    return { backend, findsLater, source, request, readStack: published.readStack }
  }

/**
 * Opens what will carry out the calls, and hands `use` the way to publish functions there. Throws MeshError E_USAGE,
 * E_CONFIG, and what joining throws.
 */
export const withPublish = async <T>(
  flags: CallFlags,
  signal: AbortSignal,
  use: (publish: Publish) => Promise<T>,
): Promise<T> => {
  ensureCompatible(flags)
  const config = readConfig(flags)
  if (config.verify !== undefined) ensureLevel(config.verify)
  const opened = await openBackend(config, flags.local ?? false, signal)
  const { backend } = opened
  try {
    await tellOnceOfReaders(config.data, opened)
    return await use(createPublish(opened, config, flags))
  } finally {
    await backend.close()
  }
}

/** The same for one function, which is published. Throws what bundling throws, too. */
export const withCalling = async <T>(
  text: string,
  flags: CallFlags,
  signal: AbortSignal,
  use: (calling: Calling) => Promise<T>,
): Promise<T> => {
  // What is no function at all is said before anything is opened.
  fn(text)
  return withPublish(flags, signal, async (publish) => use(await publish(text)))
}
