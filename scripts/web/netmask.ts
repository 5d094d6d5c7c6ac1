/** In place of the package `netmask`, of which libp2p uses this in pages: blocks of IPv4 addresses, as RFC 4632 writes them. */

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

export class Netmask {
  readonly #size: number
  readonly #block: number

  constructor(block: string) {
    const [address, bits] = block.split('/') as [string, string]
    this.#size = 2 ** (32 - Number(bits))
    this.#block = Math.floor(numberOf(address) / this.#size)
  }

  contains(address: string): boolean {
    return Math.floor(numberOf(address) / this.#size) === this.#block
  }
}
