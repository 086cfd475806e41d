//! Families of series by label values, bounded, and how Prometheus wants them written (text format 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Series of one family; what comes after them is counted together, so that no label can fill the memory.
const SERIES: usize = 1000;
const REST: &str = "other";

/// Upper bounds of the buckets, seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

type Labels<const N: usize> = [String; N];

/// A family of counters with `N` labels.
#[derive(Debug)]
pub(super) struct Counters<const N: usize>(Mutex<BTreeMap<Labels<N>, u64>>);

/// A family of histograms with `N` labels.
#[derive(Debug)]
pub(super) struct Histograms<const N: usize>(Mutex<BTreeMap<Labels<N>, Histogram>>);

#[derive(Clone, Debug, Default)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl<const N: usize> Counters<N> {
    pub(super) fn add(&self, labels: [&str; N]) {
        let mut series = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *place(&mut series, labels) += 1;
    }

    pub(super) fn write(&self, out: &mut String, name: &str, help: &str, names: [&str; N]) {
        head(out, name, help, "counter");
        let series = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (labels, value) in series.iter() {
            let _ = writeln!(out, "{name}{{{}}} {value}", joined(names, labels));
        }
    }
}

impl<const N: usize> Histograms<N> {
    pub(super) fn observe(&self, labels: [&str; N], took: Duration) {
        let seconds = took.as_secs_f64();
        let mut series = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = place(&mut series, labels);
        for (bound, bucket) in BUCKETS.iter().zip(&mut histogram.buckets) {
            if seconds <= *bound {
                *bucket += 1;
            }
        }
        histogram.count += 1;
        histogram.sum += seconds;
    }

    pub(super) fn write(&self, out: &mut String, name: &str, help: &str, names: [&str; N]) {
        head(out, name, help, "histogram");
        let series = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (labels, histogram) in &series {
            let labels = joined(names, labels);
            for (bound, count) in BUCKETS.iter().zip(histogram.buckets) {
                let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
            }
            let Histogram { count, sum, .. } = histogram;
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _ = writeln!(out, "{name}_sum{{{labels}}} {sum}");
            let _ = writeln!(out, "{name}_count{{{labels}}} {count}");
        }
    }
}

impl<const N: usize> Default for Counters<N> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<const N: usize> Default for Histograms<N> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// One value that can go up and down, with labels that are written already.
pub(super) fn gauge(out: &mut String, name: &str, help: &str, values: &[(String, f64)]) {
    head(out, name, help, "gauge");
    samples(out, name, values);
}

/// A counter that somebody else counts.
pub(super) fn counter(out: &mut String, name: &str, help: &str, values: &[(String, f64)]) {
    head(out, name, help, "counter");
    samples(out, name, values);
}

fn samples(out: &mut String, name: &str, values: &[(String, f64)]) {
    for (labels, value) in values {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(out, "{name}{labels} {value}");
    }
}

/// `name="value"`, escaped as the format wants.
pub(super) fn label(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}

fn head(out: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn joined<const N: usize>(names: [&str; N], values: &Labels<N>) -> String {
    let pairs = names.iter().zip(values).map(|(name, value)| label(name, value));
    pairs.collect::<Vec<_>>().join(",")
}

fn place<'a, const N: usize, V: Default>(
    series: &'a mut BTreeMap<Labels<N>, V>,
    labels: [&str; N],
) -> &'a mut V {
    let mut labels = labels.map(str::to_owned);
    if series.len() >= SERIES && !series.contains_key(&labels) {
        labels = std::array::from_fn(|_| REST.to_owned());
    }
    series.entry(labels).or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_bounded_and_its_labels_are_escaped() {
        let counters = Counters::<1>::default();
        for i in 0..2 * SERIES {
            counters.add([&format!("{i}\"\\\n")]);
        }
        let mut out = String::new();
        counters.write(&mut out, "c", "About.", ["l"]);

        assert_eq!(out.lines().count(), SERIES + 3);
        assert!(out.contains("c{l=\"7\\\"\\\\\\n\"} 1"), "{}", out.get(..500).unwrap());
        assert!(out.contains(&format!("c{{l=\"other\"}} {SERIES}")));
    }

    #[test]
    fn buckets_add_up() {
        let histograms = Histograms::<1>::default();
        for millis in [1, 2, 20, 11_000] {
            histograms.observe(["a"], Duration::from_millis(millis));
        }
        let mut out = String::new();
        histograms.write(&mut out, "h", "About.", ["l"]);

        for line in [
            "h_bucket{l=\"a\",le=\"0.001\"} 1",
            "h_bucket{l=\"a\",le=\"0.0025\"} 2",
            "h_bucket{l=\"a\",le=\"0.025\"} 3",
            "h_bucket{l=\"a\",le=\"10\"} 3",
            "h_bucket{l=\"a\",le=\"+Inf\"} 4",
            "h_sum{l=\"a\"} 11.023",
            "h_count{l=\"a\"} 4",
        ] {
            assert!(out.lines().any(|l| l == line), "{line}\n{out}");
        }
    }
}
