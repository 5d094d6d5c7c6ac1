/** Small modules with something of everything, metered. */
import { meterModule } from '../../sdk/bundle/wasm/meter.ts'
import { LIMITS } from './modules.ts'
import { parsed } from './parsed.ts'

const TEXTS = [
  // Loops, arms, br_table.
  `(module (func (export "count") (param i32) (result i32) (local i32)
    (block $out (loop $again
      (br_if $out (i32.eqz (local.get 0)))
      (if (i32.and (local.get 0) (i32.const 1)) (then (local.set 1 (i32.add (local.get 1) (i32.const 3)))) (else (nop)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br $again)))
    (block $two (block $one (br_table $one $two (i32.and (local.get 1) (i32.const 1))))
      (local.set 1 (i32.mul (local.get 1) (i32.const 5))))
    (local.get 1)))`,
  // Recursion, indirect calls, early returns.
  `(module (table 2 2 funcref) (elem (i32.const 0) $fib $one) (type $t (func (param i32) (result i32)))
    (func $one (type $t) (i32.const 1))
    (func $fib (export "fib") (type $t)
      (if (i32.lt_s (local.get 0) (i32.const 2)) (then (return (call_indirect (type $t) (local.get 0) (i32.const 1)))))
      (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2))))))`,
  // Memory, floats, several results, a start function.
  `(module (memory 1) (data $d "abcdefgh") (global $g (mut i32) (i32.const 3)) (start $begin)
    (func $begin (memory.init $d (i32.const 0) (i32.const 0) (i32.const 8)) (data.drop $d))
    (func $pair (param i32) (result i32 i32) (local.get 0) (global.get $g))
    (func (export "move") (param i32) (result i64)
      (memory.fill (i32.const 64) (i32.const 7) (local.get 0))
      (memory.copy (i32.const 128) (i32.const 64) (local.get 0))
      (f64.store (i32.const 256) (f64.div (f64.convert_i32_s (local.get 0)) (f64.const 3)))
      (drop (memory.grow (i32.const 1)))
      (call $pair (local.get 0)) (global.set $g) (drop)
      (i64.reinterpret_f64 (f64.sqrt (f64.load (i32.const 256))))))`,
]

export const samples = (): Promise<Uint8Array[]> =>
  Promise.all(TEXTS.map(async (text) => (await meterModule(parsed(text), LIMITS)).code))
