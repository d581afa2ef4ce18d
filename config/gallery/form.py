"""A form with one field of each kind; nobody reads what it is sent."""

from django import forms


class SampleForm(forms.Form):
    """One field of each kind."""

    use_required_attribute = False

    name = forms.CharField(label="Full name", help_text="As on your insurance card")
    email = forms.EmailField(label="E-mail")
    phone = forms.CharField(
        label="Telephone", required=False, widget=forms.TextInput(attrs={"type": "tel"})
    )
    birth = forms.DateField(label="Date of birth", widget=forms.DateInput(attrs={"type": "date"}))
    kind = forms.ChoiceField(
        label="Visit", choices=[("new", "First visit"), ("follow", "Follow-up")]
    )
    place = forms.ChoiceField(
        label="Where?",
        widget=forms.RadioSelect,
        choices=[("here", "At the clinic"), ("video", "By video"), ("any", "Either")],
    )
    channels = forms.MultipleChoiceField(
        label="How may we remind you?",
        help_text="You can change this at any time",
        widget=forms.CheckboxSelectMultiple,
        choices=[("sms", "Text message"), ("email", "E-mail")],
        required=False,
    )
    code = forms.CharField(
        label="Code from the message",
        max_length=6,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    reason = forms.CharField(
        label="Reason for the visit", required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    agree = forms.BooleanField(label="I have read how my data is kept")
