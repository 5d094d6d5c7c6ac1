/** Six kernels that compute, in C and in AssemblyScript, with the size at which each takes a few milliseconds. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileAssemblyScript, compileC } from './compile.ts'

export const KERNELS = { fib: 22, nbody: 500, spectral: 24, mandel: 24, collatz: 1000, sha: 4 } as const
export type Kernel = keyof typeof KERNELS

const textOf = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8')

export const kernelsInC = (...options: string[]): Uint8Array => compileC(textOf('kernels.c'), ...options)
export const kernelsInAssemblyScript = (...options: string[]): Promise<Uint8Array> =>
  compileAssemblyScript(textOf('../../../../bench/functions/kernels.as.ts'), ...options)
