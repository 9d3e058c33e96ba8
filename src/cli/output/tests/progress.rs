use super::*;

#[test]
fn an_interruption_stops_every_step() {
    let interruption = Interruption::default();
    let bars = Bars::new(false, interruption.clone());
    let meter = bars.begin(Step::Packing, 10);
    meter.advance(5).unwrap();
    interruption.request();
    let error = meter.advance(5).unwrap_err();
    assert!(error.downcast::<Stopped>().is_ok());
}
