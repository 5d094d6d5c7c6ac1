/** Functions that call themselves without end, each with another kind of frame, for what a host's stack holds of them. */

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ')
const sink = '(global $sink (mut i64) (i64.const 0))'
const from = (index: number) => `(i64.load (i32.const ${index * 8}))`
const moduleText = (functions: string) => `(module (memory 1 1) ${sink} ${functions} (export "deep" (func $deep)))`
const keep = (value: string) => `(global.set $sink ${value})`

/** Values in locals before the call, used after it. */
const locals = (count: number, type: 'i64' | 'f64' | 'i32' | 'f32') => {
  const read = (index: number) => `(${type}.load (i32.const ${index * 8}))`
  const write = (index: number) => `(${type}.store (i32.const ${index * 8}) (local.get ${index}))`
  return `(func $deep (local ${times(count, () => type)})
    ${times(count, (i) => `(local.set ${i} ${read(i)})`)} (call $deep) ${times(count, write)})`
}

/** Values on the operand stack during the call. */
const operands = (count: number) =>
  `(func $deep ${times(count, from)} (call $deep) ${times(count, () => 'global.set $sink')})`

const parameters = (count: number) =>
  `(func $deep (call $take ${times(count, from)}))
   (func $take (param ${times(count, () => 'i64')})
    (call $take ${times(count, (i) => `(i64.add (local.get ${(i + 1) % count}) (i64.const 1))`)})
    ${times(count, (i) => keep(`(local.get ${i})`))})`

/** Many values at once, of calls to small functions that a host may compile into this one. */
const inlined = (count: number) =>
  `(func $deep (call $deep) ${times(count, (i) => keep(`(call $small (i32.const ${i * 64}))`))} (call $deep))
   (func $small (param i32) (result i64) (local ${times(8, () => 'i64')})
    ${times(8, (i) => `(local.set ${i + 1} (i64.load offset=${i * 8} (local.get 0)))`)}
    (call $deep)
    ${times(7, (i) => `(i64.xor (local.get ${i + 1})`)} (local.get 8) ${')'.repeat(7)})`

/** Functions that call nothing but each other, so that a host compiles them into the one that calls itself. */
const chained = (length: number, count: number) =>
  `(func $deep (call $f0) (call $deep))
   ${times(length, (i) => `(func $f${i} ${times(count, from)} (call $f${i + 1}) ${times(count, () => 'global.set $sink')})`)}
   (func $f${length})`

const results = `(func $deep (call $many) ${times(8, () => 'drop')})
   (func $many (result i64 i64 i64 i64 i64 i64 i64 i64)
    (call $deep) ${times(8, from)})`

const indirect = `(type $t (func)) (table 1 1 funcref) (elem (i32.const 0) $deep)
   (func $deep (call_indirect (type $t) (i32.const 0)))`

/** By name, as text. */
export const DEEP: Record<string, string> = {
  empty: moduleText('(func $deep (call $deep))'),
  'ten i32': moduleText(locals(10, 'i32')),
  'thirty i64': moduleText(locals(30, 'i64')),
  'three hundred i64': moduleText(locals(300, 'i64')),
  'thirty f64': moduleText(locals(30, 'f64')),
  'three hundred f64': moduleText(locals(300, 'f64')),
  'a hundred f32': moduleText(locals(100, 'f32')),
  'ten operands': moduleText(operands(10)),
  'two hundred operands': moduleText(operands(200)),
  'four parameters': moduleText(parameters(4)),
  'sixty parameters': moduleText(parameters(60)),
  'small functions': moduleText(inlined(4)),
  'many small functions': moduleText(inlined(40)),
  'functions in functions': moduleText(chained(8, 40)),
  indirect: moduleText(indirect),
  results: moduleText(results),
}
