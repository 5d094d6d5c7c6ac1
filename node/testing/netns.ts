/**
 * Networks of their own for process tests: hosts are network namespaces, which nothing outside them reaches, joined by
 * switches and routers that are namespaces too. All are gone when the test file is done, also when it failed.
 */
import { execFileSync } from 'node:child_process'
import { afterAll } from 'vitest'

const made: string[] = []

const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })

const inside = (netns: string, ...command: string[]): void =>
  void execFileSync('ip', ['netns', 'exec', netns, ...command], { stdio: ['ignore', 'ignore', 'pipe'] })

const removeAll = () => {
  for (const netns of made.splice(0)) ip('netns', 'del', netns)
}

afterAll(removeAll)
process.once('exit', removeAll)

const create = (): string => {
  if (process.getuid?.() !== 0) throw new Error('network namespaces can only be made by root: run this test as root')
  const netns = `wayside-${process.pid}-${made.length}`
  ip('netns', 'add', netns)
  made.push(netns)
  ip('-n', netns, 'link', 'set', 'lo', 'up')
  return netns
}

/** A switch: the hosts plugged into it are one local network. */
export class Switch {
  readonly #netns = create()
  #ports = 0

  constructor() {
    ip('-n', this.#netns, 'link', 'add', 'bridge', 'type', 'bridge', 'mcast_snooping', '0')
    ip('-n', this.#netns, 'link', 'set', 'bridge', 'up')
  }

  /** Puts a cable from `host` into it; `address` such as `10.1.0.2/24`. */
  plug(host: Host, address: string): void {
    const port = `port${this.#ports++}`
    const device = host.nextDevice()
    ip('link', 'add', port, 'netns', this.#netns, 'type', 'veth', 'peer', 'name', device, 'netns', host.netns)
    ip('-n', this.#netns, 'link', 'set', port, 'master', 'bridge', 'up')
    ip('-n', host.netns, 'addr', 'add', address, 'dev', device)
    ip('-n', host.netns, 'link', 'set', device, 'up')
  }
}

export class Host {
  readonly netns = create()
  #devices = 0

  /** The first is `eth0`. */
  nextDevice(): string {
    return `eth${this.#devices++}`
  }

  /** Runs a program there to its end. */
  run(...command: string[]): void {
    inside(this.netns, ...command)
  }

  /** Everything beyond its own network goes by this router. */
  routeBy(router: string): void {
    ip('-n', this.netns, 'route', 'add', 'default', 'via', router)
  }

  /** Gives its first cable another address. */
  readdress(from: string, to: string): void {
    ip('-n', this.netns, 'addr', 'del', from, 'dev', 'eth0')
    ip('-n', this.netns, 'addr', 'add', to, 'dev', 'eth0')
  }

  /** Forwards what comes by its other cables out of its first, as if it sent that itself, and lets nothing new in. */
  masquerade(): void {
    inside(this.netns, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
    const rules = [
      'table ip nat { chain out { type nat hook postrouting priority 100; oifname "eth0" masquerade; }; }',
      'table ip filter { chain in { type filter hook forward priority 0; iifname "eth0" ct state new drop; }; }',
    ]
    for (const rule of rules) inside(this.netns, 'nft', rule)
  }
}
