// generator.ts in AssemblyScript.

let state: i32 = 0

export function seed(x: i32, y: i32): void {
  state = (x * 73856093) ^ (y * 19349663)
}

export function random(): f64 {
  state = state + 0x9e3779b9
  let mixed: i32 = (state ^ <i32>(<u32>state >> 16)) * 0x85ebca6b
  mixed = (mixed ^ <i32>(<u32>mixed >> 13)) * 0xc2b2ae35
  return <f64>(<u32>(mixed ^ <i32>(<u32>mixed >> 16))) / 4294967296.0
}
