"""E-mail addresses: one stored form, one key per mailbox."""

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.normalize import email_key, is_free_mail, normalize_email
from clientela.normalize.email import FREE_MAIL

locals_ = st.from_regex(r"[A-Za-zА-Яа-яЁё0-9_+]{1,12}(\.[A-Za-z0-9_+]{1,8}){0,2}", fullmatch=True)
domains = st.sampled_from(["Example.com", "gmail.com", "GoogleMail.com", "Пример.РФ", "Bücher.de"])
addresses = st.builds("{}@{}".format, locals_, domains)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Anna.Petrova@Example.COM\n", "anna.petrova@example.com"),
        ("ANNA＠example.com", "anna@example.com"),
        ("Анна@Пример.РФ", "анна@xn--e1afmkfd.xn--p1ai"),
        ("info@XN--E1AFMKFD.xn--p1ai", "info@xn--e1afmkfd.xn--p1ai"),
        ("o'neil+crm@example.co.uk", "o'neil+crm@example.co.uk"),
    ],
)
def test_an_address_has_one_form(text: str, address: str) -> None:
    assert normalize_email(text) == address


def test_a_domain_can_be_shown_in_its_own_letters_again() -> None:
    domain = normalize_email("info@пример.рф").partition("@")[2]

    assert idna.decode(domain) == "пример.рф"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must have an @-sign"),
        ("anna", "must have an @-sign"),
        ("anna@host", "should have a period"),
        ("Anna <anna@example.com>", "display name"),
        ("a..b@example.com", "two periods in a row"),
        ("a b@example.com", "invalid characters"),
        ("a@[127.0.0.1]", "IP address"),
        ("a@example.com\x00", "invalid characters"),
    ],
)
def test_what_is_no_address_is_told_so(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refusal:
        normalize_email(text)
    assert str(refusal.value).endswith("Write an address such as name@example.com.")


@given(addresses)
def test_normalizing_twice_changes_nothing(address: str) -> None:
    once = normalize_email(address)

    assert normalize_email(once) == once
    assert email_key(once) == email_key(address) == email_key(email_key(address))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Anna.Petrova+crm@gmail.com", "annapetrova@gmail.com"),
        ("annapetrova@googlemail.com", "annapetrova@gmail.com"),
        ("anna.petrova+crm@yandex.ru", "anna.petrova@yandex.ru"),
        ("a+b+c@example.com", "a@example.com"),
        ("+tag@example.com", "+tag@example.com"),
    ],
)
def test_the_spellings_of_one_mailbox_have_one_key(text: str, key: str) -> None:
    assert email_key(text) == key


def test_free_mail_says_nothing_about_an_organization() -> None:
    for domain in ("mail.ru", "yandex.ru", "bk.ru", "list.ru", "inbox.ru", "rambler.ru"):
        assert is_free_mail(domain)
    assert is_free_mail(" GMail.com. ")
    assert not is_free_mail("sberbank.ru")
    assert not is_free_mail("corp.mail.ru")
    assert all(domain == domain.lower() for domain in FREE_MAIL)
