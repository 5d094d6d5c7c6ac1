/** The part of WebAssembly in use, typed here because the compiler's own types for it come only with those of a page. */

declare global {
  namespace WebAssembly {
    interface Memory {
      readonly buffer: ArrayBuffer
      grow(pages: number): number
    }
    interface Instance {
      readonly exports: Record<string, unknown>
    }
    interface Global {
      value: bigint
    }
    interface ModuleDescriptor {
      name: string
      kind: string
    }
    var Memory: new (limits: { initial: number; maximum: number }) => Memory
    var Instance: new (module: Module, imports: Record<string, Record<string, unknown>>) => Instance
    var RuntimeError: new () => Error
    var CompileError: new () => Error
    var Module: {
      new (bytes: Uint8Array): Module
      imports(module: Module): (ModuleDescriptor & { module: string })[]
      exports(module: Module): ModuleDescriptor[]
    }
  }
}

export {}
