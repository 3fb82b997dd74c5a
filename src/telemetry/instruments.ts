import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Makes counters, gauges and histograms in one registry, with our prefix in their names. */
export class Instruments {
  readonly registry = new Registry()

  counter<Label extends string>(name: string, help: string, labelNames: Label[] = []) {
    return new Counter({ name: `sallyport_${name}`, help, labelNames, registers: [this.registry] })
  }

  gauge<Label extends string>(name: string, help: string, labelNames: Label[] = []) {
    return new Gauge({ name: `sallyport_${name}`, help, labelNames, registers: [this.registry] })
  }

  histogram<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ) {
    const named = { name: `sallyport_${name}`, help, labelNames, buckets }
    return new Histogram({ ...named, registers: [this.registry] })
  }
}
