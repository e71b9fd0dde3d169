//! The reader of challenges and credentials on values written by hand.

use super::*;

#[test]
fn every_field_has_the_slot_of_its_name() {
    for (place, name) in Fields::NAMES.iter().enumerate() {
        assert_eq!(Fields::slot(name), Some(place));
        assert_eq!(Fields::slot(&name.to_ascii_uppercase()), Some(place));
    }
    assert_eq!(Fields::NAMES[Fields::RESPONSE], b"response");
    assert_eq!(Fields::NAMES[Fields::RSPAUTH], b"rspauth");
    assert_eq!((Fields::slot(b"realn"), Fields::slot(b"")), (None, None));
}

#[test]
fn credentials_are_read_and_the_response_stays_secret() {
    let auth = Auth::parse(
        b"Digest username=\"a,b\", realm = \"r\",nonce=n1,\r\n uri=\"sip:r\", response=\"c0ffee\", \
          algorithm=SHA-256, qop=auth, nc=0000000a, cnonce=\"\", opaque=\"o\", stale=TRUE",
    )
    .unwrap();
    assert_eq!((auth.scheme, auth.username()), (AuthScheme::Digest, Some(&b"a,b"[..])));
    assert_eq!((auth.realm(), auth.nonce()), (Some(&b"r"[..]), Some(&b"n1"[..])));
    assert_eq!((auth.nc(), auth.cnonce(), auth.stale()), (Some(10), Some(&b""[..]), true));
    assert_eq!(auth.response().map(Secret::len), Some(6));
    assert_eq!(auth.param(b"Response"), None);
    assert_eq!(auth.names().count(), 11);
    assert_eq!(auth.token(), None);
    assert!(!format!("{auth:?}").contains("99"));
}

#[test]
fn several_challenges_in_one_value_stay_apart() {
    let value = b"Digest realm=\"a\", qop=\"auth, auth-int\", nonce=\"1\", Basic realm=\"b\" , \
                  Negotiate, Digest realm=c,algorithm=MD5";
    let all: Vec<_> = AuthList::new(value).collect();
    let realms: Vec<_> = all.iter().map(|auth| auth.realm().unwrap_or_default()).collect();
    assert_eq!(realms, [&b"a"[..], b"b", b"", b"c"]);
    assert_eq!(all[1].scheme, AuthScheme::Basic);
    assert_eq!((all[2].scheme, all[2].scheme_text), (AuthScheme::Other, &b"Negotiate"[..]));
    assert_eq!(all[0].qop_options().collect::<Vec<_>>(), [&b"auth"[..], b"auth-int"]);
}

#[test]
fn the_short_way_through_a_list_and_the_long_one_agree() {
    for list in [
        "qop=b",
        "qop=b,",
        " nc=\"b\", c=d",
        "qop=\"b,\\\"c\",d",
        "qop=\"b\" ,c",
        "qop= b",
        "qop=",
        "qop=,b=c",
        "uri =b",
        "qop=b\"c,d\",e",
        "qop=b c,d",
        "qop=<b,c>,d",
        "qop=\"b",
        "qop=\"\",b",
        "qop=\"b\"c,d",
        "uri",
        "",
        ",a=b",
    ] {
        let list = list.as_bytes();
        let mut rest = list;
        let piece = lex::element(&mut rest, b',');
        let (mut short, mut long) = (Fields::EMPTY, Fields::EMPTY);
        if let Some(after) = short.note_plain(list, list) {
            long.note(list, piece);
            assert!(short == long, "{}", list.escape_ascii());
            assert!(lex::assignment(piece).is_some(), "{}", list.escape_ascii());
            assert_eq!(after, rest, "{}", list.escape_ascii());
        }
    }
    let list = b" qop=\"b\",c";
    let mut fields = Fields::EMPTY;
    assert_eq!(fields.note_plain(list, list), Some(&b"c"[..]));
    assert_eq!(fields.value(list, Fields::QOP), Some(&b"b"[..]));
}

#[test]
fn basic_credentials_are_a_secret_token() {
    let auth = Auth::parse(b"Basic dXNlcjpwYXNzd29yZA==").unwrap();
    assert_eq!(auth.token().map(Secret::expose), Some(&b"dXNlcjpwYXNzd29yZA=="[..]));
    assert_eq!(auth.username(), None);
    assert_eq!(Auth::parse(b" ,, "), None);
}
