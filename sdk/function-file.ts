/** A bundled function as a file: a site's build writes it, its page reads it. */
import { MeshError } from '../protocol/errors.ts'
import { FunctionFile } from '../protocol/function-file.ts'
import { FUEL_DEFAULT, MEMORY_BYTES_DEFAULT, TIMEOUT_MS_DEFAULT } from '../protocol/limits.ts'
import { bindingsOf, type SourceBundle } from './function-bundle.ts'

/** The bytes of the file, the same for the same sources. */
export const functionFile = (bundle: SourceBundle): Uint8Array => {
  const { tier = 'javascript', code, modules = [], name, exports, effects, limits = {}, verify = '' } = bundle
  const env = [...bindingsOf(bundle)]
  return FunctionFile.encode({
    ...{ v: 1, name, tier, code, modules, exports, effects, verify },
    ...(env.length > 0 && { env }),
    fuel: limits.fuel ?? FUEL_DEFAULT,
    memory_bytes: limits.memoryBytes ?? MEMORY_BYTES_DEFAULT,
    timeout_ms: limits.timeoutMs ?? TIMEOUT_MS_DEFAULT,
  })
}

/** What `functionFile` wrote. Throws MeshError E_BUNDLE, which says how to make one, for any other bytes. */
export const readFunctionFile = (bytes: Uint8Array, from: string): SourceBundle => {
  try {
    const {
      v,
      fuel,
      memory_bytes: memoryBytes,
      timeout_ms: timeoutMs,
      verify,
      env,
      ...about
    } = FunctionFile.decode(bytes)
    return {
      ...about,
      ...(env && { bindings: env }),
      limits: { fuel, memoryBytes, timeoutMs },
      ...(verify && { verify }),
    }
  } catch (cause) {
    const message = `${from} is no function file, and a page cannot bundle a source. In the site's build write what functionFile(await bundle('./tile.ts')) of wayside/bundle gives; or name the function by its CID`
    throw new MeshError('E_BUNDLE', { message, file: from }, { cause })
  }
}
