use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_makes_reading_a_token_panic(text in "[a-zA-Z0-9_.=-]{0,80}|.{0,40}") {
        let refused = Candidate::read(&text, &[], &mut Checks::default());
        prop_assert!(refused.is_err());
    }

    /// Whatever number `exp` is, the token is accepted exactly while it lies ahead.
    #[test]
    fn any_number_is_a_time_in_range_or_a_refusal(exp in prop_oneof![any::<i64>(), NOW - 120..NOW + 120]) {
        let accepted = login().check(&with(json!({ "exp": exp }))).is_ok();
        prop_assert_eq!(accepted, (NOW - 59..=253_402_300_799).contains(&exp));
    }

    #[test]
    fn no_floating_number_makes_a_time_check_panic(exp in any::<f64>()) {
        let claims = with(json!({ "exp": exp, "auth_time": exp, "nbf": exp }));
        drop(login().check(&claims));
    }

    #[test]
    fn only_the_exact_nonce_passes(nonce in "n-1|[a-z0-9-]{0,5}") {
        prop_assert_eq!(login().check(&with(json!({ "nonce": nonce }))).is_ok(), nonce == "n-1");
    }
}
