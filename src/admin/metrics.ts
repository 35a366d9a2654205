// The metrics' registry: what the table lists, counted, and the process's own. One for each gateway; nothing is global.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LabelsOf, METRICS, Metric, MetricName } from '../metrics.ts';

type NamesOf<Type> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];

const OBSERVED_TOGETHER = 256;

export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #samples: (() => void)[] = [];
  readonly #uncounted: (() => void)[] = [];

  constructor(table: typeof METRICS) {
    for (const [name, metric] of Object.entries(table)) this.#make(name, metric);
    collectDefaultMetrics({ register: this.#registry });
  }

  count<Name extends NamesOf<'counter'>>(name: Name, labels: LabelsOf<Name>, amount = 1): void {
    this.#counters.get(name)?.inc(labels, amount);
  }

  /** The same for what each request counts: added up here, and counted when somebody looks. */
  counter<Name extends NamesOf<'counter'>>(name: Name, labels: LabelsOf<Name>): (amount?: number) => void {
    let pending = 0;
    this.#uncounted.push(() => {
      this.count(name, labels, pending);
      pending = 0;
    });
    return (amount = 1) => {
      pending += amount;
    };
  }

  /** The same for what each request observes: many at a time go into their buckets for what a few cost one by one. */
  observer<Name extends NamesOf<'histogram'>>(name: Name, labels: LabelsOf<Name>): (value: number) => void {
    const pending: number[] = [];
    const observeAll = () => {
      const histogram = this.#histograms.get(name);
      for (const value of pending) histogram?.observe(labels, value);
      pending.length = 0;
    };
    this.#uncounted.push(observeAll);
    return (value) => {
      pending.push(value);
      if (pending.length === OBSERVED_TOGETHER) observeAll();
    };
  }

  set<Name extends NamesOf<'gauge'>>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#gauges.get(name)?.set({ ...labels }, value);
  }

  /** A gauge that is read off when somebody looks. */
  sample(name: NamesOf<'gauge'>, read: () => number): void {
    this.#samples.push(() => this.#gauges.get(name)?.set(read()));
  }

  /** A counter's sum by one of its labels. */
  async totals(name: NamesOf<'counter'>, label: string): Promise<Record<string, number>> {
    this.#countAll();
    const totals: Record<string, number> = {};
    for (const { labels, value } of (await this.#counters.get(name)?.get())?.values ?? []) {
      const key = String(labels[label] ?? 'all');
      totals[key] = (totals[key] ?? 0) + value;
    }
    return totals;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** In Prometheus' text format. */
  render(): Promise<string> {
    this.#countAll();
    for (const sample of this.#samples) sample();
    return this.#registry.metrics();
  }

  #countAll(): void {
    for (const count of this.#uncounted) count();
  }

  #make(name: string, { type, help, labels, buckets }: Metric): void {
    const common = { name, help, labelNames: [...labels], registers: [this.#registry] };
    if (type === 'counter') this.#counters.set(name, new Counter(common));
    if (type === 'gauge') this.#gauges.set(name, new Gauge(common));
    if (type === 'histogram') this.#histograms.set(name, new Histogram({ ...common, buckets: [...(buckets ?? [])] }));
  }
}
